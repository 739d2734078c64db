const _: () = {
    use ::dooers as __dooers;
    #[automatically_derived]
    impl __dooers::SettingChoice for Tone {
        const CHOICES: &'static [(&'static str, &'static str)] = &[
            ("warm", "Warm"),
            ("icy", "As cold as ice"),
        ];
        #[allow(unused_variables)]
        fn choose(__value: &str) -> ::core::option::Option<Self> {
            match __value {
                "warm" => ::core::option::Option::Some(Self::Warm),
                "icy" => ::core::option::Option::Some(Self::Cold),
                _ => ::core::option::Option::None,
            }
        }
        fn choice(&self) -> &'static str {
            match self {
                Self::Warm => "warm",
                Self::Cold => "icy",
            }
        }
    }
};
