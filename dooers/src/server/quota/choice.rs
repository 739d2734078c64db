//! The choice of the quotas of a server.

use super::Quotas;

/// The choice of the quotas of a server.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::server) enum QuotaChoice {
    /// The default quotas, unless the authenticator believes clients.
    #[default]
    ByAuthenticator,
    /// No quotas.
    Off,
    /// These quotas, whatever the authenticator is.
    Set(Quotas),
}

impl QuotaChoice {
    /// Changes the quotas. Those that are not changed have their defaults.
    pub(in crate::server) fn change(&mut self, change: impl FnOnce(&mut Quotas)) {
        let mut quotas = match *self {
            Self::Set(quotas) => quotas,
            Self::ByAuthenticator | Self::Off => Quotas::default(),
        };
        change(&mut quotas);
        *self = Self::Set(quotas);
    }

    /// The quotas of a server with this kind of authenticator.
    pub(in crate::server) fn quotas(self, believes_clients: bool) -> Option<Quotas> {
        match self {
            Self::ByAuthenticator => (!believes_clients).then(Quotas::default),
            Self::Off => None,
            Self::Set(quotas) => Some(quotas),
        }
    }
}
