const _: () = {
    use crate::runtime as __dooers;
    #[allow(unused_imports)]
    use __dooers::__private::settings as __settings;
    #[allow(non_upper_case_globals)]
    const __0: __settings::TypedField<String> = __settings::typed::<String>("model");
    #[allow(non_upper_case_globals)]
    const __1: __settings::TypedField<i8> = __settings::typed::<i8>("depth");
    #[allow(non_upper_case_globals)]
    const __2: __settings::TypedField<Tone> = __settings::named::<Tone>("tone");
    #[allow(non_upper_case_globals)]
    const __3: __settings::TypedField<Tone> = __settings::named::<Tone>("other");
    #[allow(non_upper_case_globals)]
    const __4: __settings::TypedField<Option<Secret>> = __settings::typed::<
        Option<Secret>,
    >("key");
    #[allow(non_upper_case_globals)]
    const __5: __settings::TypedGroup<More> = __settings::typed_group::<More>("more");
    const _: () = __settings::assert_distinct(
        &[&["model", "depth", "tone", "other", "key", "more"]],
        __5.ids(),
    );
    const _: () = __settings::assert_choice(__2.choices(), "warm", "Tone");
    #[automatically_derived]
    impl __dooers::WorkerSettings for Tuning {
        fn schema() -> &'static __dooers::settings::SettingsSchema {
            static __SCHEMA: __settings::LazyLock<__dooers::settings::SettingsSchema> = __settings::LazyLock::new(||
            __settings::schema(
                "2",
                ::std::vec![
                    __settings::item(__0.field().required().options([("small", "Small"),
                    ("large", "Large")]).default("small")
                    .description("The model that answers.")), __settings::item(__1
                    .validated(__1.field().min(- 5i64).max(5i64).step(2i64).default(-
                    1i64), | __value | (odd) (__value))), __settings::item(__2.field()
                    .default("warm")), __settings::item(__3.field().creator().default(__3
                    .json(Tone::Cold))), __settings::item(__4.field().internal()
                    .default_env("KEY")), __settings::item(__5.group().label("More")
                    .collapsible(__dooers::settings::Collapsible::Open))
                ],
            ));
            &__SCHEMA
        }
        fn read(__values: &__dooers::settings::Reader<'_>) -> Self {
            Self {
                model: __0.read(__values),
                depth: __1.read(__values),
                tone: __2.read(__values),
                other: __3.read(__values),
                key: __4.read(__values),
                more: __5.read(__values),
            }
        }
        fn write(&self, __values: &mut __dooers::settings::SettingsValues) {
            __0.write(&self.model, __values);
            __1.write(&self.depth, __values);
            __2.write(&self.tone, __values);
            __3.write(&self.other, __values);
            __4.write(&self.key, __values);
            __5.write(&self.more, __values);
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
            __settings::defaults()
        }
    }
    #[automatically_derived]
    #[doc(hidden)]
    impl __settings::NamedType for Tuning {
        type Is = __settings::StructOfSettings;
    }
};
