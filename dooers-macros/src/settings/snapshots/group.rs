const _: () = {
    use ::dooers as __dooers;
    #[allow(unused_imports)]
    use __dooers::__private::settings as __settings;
    #[automatically_derived]
    impl __dooers::settings::SettingsGroup for More {
        const IDS: &'static [&'static str] = &[];
        fn fields() -> ::std::vec::Vec<__dooers::settings::Field> {
            ::std::vec![]
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            Self {}
        }
        #[allow(unused_variables)]
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {}
    }
    #[automatically_derived]
    impl ::core::default::Default for More {
        fn default() -> Self {
            __settings::group_defaults()
        }
    }
    #[automatically_derived]
    #[doc(hidden)]
    impl __settings::NamedType for More {
        type Is = __settings::StructOfSettings;
    }
};
