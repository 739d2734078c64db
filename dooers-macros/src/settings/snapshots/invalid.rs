::core::compile_error! {
    "this setting needs a default, as it must have a value before anyone sets one; write `#[setting(default = …)]`, or make it an `Option`"
}
const _: () = {
    use ::dooers as __dooers;
    #[allow(unused_imports)]
    use __dooers::__private::settings as __settings;
    #[automatically_derived]
    impl __dooers::settings::SettingsGroup for Tuning {
        const IDS: &'static [&'static str] = &["name"];
        fn fields() -> ::std::vec::Vec<__dooers::settings::Field> {
            ::std::vec![]
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            __settings::refused_value()
        }
        #[allow(unused_variables)]
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {}
    }
    #[automatically_derived]
    impl __dooers::WorkerSettings for Tuning {
        fn schema() -> &'static __dooers::settings::SettingsSchema {
            __settings::refused_schema()
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            <Self as __dooers::settings::SettingsGroup>::read(__values)
        }
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
            __dooers::settings::SettingsGroup::write(self, __values)
        }
    }
    #[automatically_derived]
    impl __dooers::FromTurn for Tuning {
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
    impl ::core::default::Default for Tuning {
        fn default() -> Self {
            __settings::refused_value()
        }
    }
    #[automatically_derived]
    #[doc(hidden)]
    impl __settings::NamedType for Tuning {
        type Is = __settings::StructOfSettings;
    }
};
