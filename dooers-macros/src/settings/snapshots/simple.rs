const _: () = {
    use ::dooers as __dooers;
    #[allow(unused_imports)]
    use __dooers::__private::settings as __settings;
    #[allow(non_upper_case_globals)]
    const __0: __settings::TypedField<f64> = __settings::typed::<f64>("temperature");
    #[automatically_derived]
    impl __dooers::settings::SettingsGroup for More {
        const IDS: &'static [&'static str] = &["temperature"];
        fn fields() -> ::std::vec::Vec<__dooers::settings::Field> {
            ::std::vec![__0.field().default(0.5f64)]
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            Self {
                temperature: __0.read(__values),
            }
        }
        #[allow(unused_variables)]
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
            __0.write(&self.temperature, __values);
        }
    }
    #[automatically_derived]
    impl __dooers::WorkerSettings for More {
        fn schema() -> &'static __dooers::settings::SettingsSchema {
            static __SCHEMA: __settings::LazyLock<__dooers::settings::SettingsSchema> = __settings::LazyLock::new(||
            __settings::schema("1.0", __settings::items::<More>()));
            &__SCHEMA
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            <Self as __dooers::settings::SettingsGroup>::read(__values)
        }
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
            __dooers::settings::SettingsGroup::write(self, __values)
        }
    }
    #[automatically_derived]
    impl __dooers::FromTurn for More {
        fn from_turn(
            __turn: &__dooers::Turn,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, __dooers::AgentError>,
        > + ::core::marker::Send {
            __settings::from_turn(__turn)
        }
        fn requires(__requirements: &mut __dooers::Requirements) {
            __settings::require::<Self>(__requirements);
        }
    }
    #[automatically_derived]
    impl ::core::default::Default for More {
        fn default() -> Self {
            __settings::defaults()
        }
    }
    #[automatically_derived]
    #[doc(hidden)]
    impl __settings::NamedType for More {
        type Is = __settings::StructOfSettings;
    }
};
