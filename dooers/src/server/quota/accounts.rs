//! The accounts of all users and addresses.

use super::Quotas;
use super::account::Account;
use super::lane::Lane;
use super::nodes::{OtherNodes, RecentNotices, SharedAccount};
use crate::broker::{AccountKey, Broker, SpentNotice};
use crate::server::client_address::customer_of;
use crate::throttle::Keyed;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// The owner of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A user of an organization.
    User {
        organization_id: String,
        user_id: String,
    },
    /// An IPv4 address, or the first address of an IPv6 network of 64 bits.
    Address(IpAddr),
}

impl Owner {
    /// The owner of what an address sends.
    pub(super) fn of_address(address: IpAddr) -> Self {
        Self::Address(customer_of(address))
    }

    /// The key of the account, which is the same on every node.
    fn key(&self) -> AccountKey {
        match self {
            Self::User {
                organization_id,
                user_id,
            } => AccountKey::of(&["user", organization_id, user_id]),
            Self::Address(address) => AccountKey::of(&["address", &address.to_string()]),
        }
    }
}

/// The accounts of all users and addresses, and the quotas of the server.
#[derive(Debug)]
pub(in crate::server) struct Accounts {
    pub(super) quotas: Arc<Quotas>,
    pub(super) lane: Lane,
    /// Hashes the ids of messages.
    pub(super) hasher: RandomState,
    accounts: Mutex<Keyed<AccountKey, Arc<Account>>>,
    nodes: Arc<OtherNodes>,
    heard: Mutex<RecentNotices>,
}

impl Accounts {
    pub(in crate::server) fn new(quotas: Quotas, broker: Arc<dyn Broker>) -> Self {
        Self {
            quotas: Arc::new(quotas),
            lane: Lane::new(),
            hasher: RandomState::new(),
            accounts: Mutex::default(),
            nodes: Arc::new(OtherNodes::new(broker)),
            heard: Mutex::default(),
        }
    }

    /// The account of an owner. It survives all connections of its owner, until it is like a new one.
    pub(super) fn account(&self, owner: &Owner) -> Arc<Account> {
        self.account_of(owner.key(), Instant::now())
    }

    fn account_of(&self, key: AccountKey, now: Instant) -> Arc<Account> {
        let new = || Arc::new(Account::shared(SharedAccount::new(key, &self.nodes)));
        // Nothing panics while the lock is held.
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.state_or_else(key, now, new))
    }

    /// Takes from an account what its owner has spent on another node. The owner may connect to this node next, so the account
    /// is created if there is none.
    pub(in crate::server) fn spent_elsewhere(&self, notice: &SpentNotice) {
        // Nothing panics while the lock is held.
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_new(notice.id) {
            drop(heard);
            let now = Instant::now();
            let account = self.account_of(notice.account, now);
            account.spent_elsewhere(notice.rate, notice.time(), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::NoBroker;

    #[test]
    fn addresses_of_one_network_are_one_owner() {
        let owner = |address: &str| Owner::of_address(address.parse().unwrap());
        assert_eq!(owner("2001:db8::1"), owner("2001:db8::ffff:2"));
        assert_ne!(owner("2001:db8::1"), owner("2001:db8:0:1::1"));
        assert_eq!(owner("192.0.2.1"), owner("::ffff:192.0.2.1"));
        assert_ne!(owner("192.0.2.1"), owner("192.0.2.2"));
    }

    #[test]
    fn account_survives_the_connections_of_its_user() {
        let accounts = Accounts::new(Quotas::default(), Arc::new(NoBroker));
        let owner = |organization: &str, user: &str| Owner::User {
            organization_id: organization.to_owned(),
            user_id: user.to_owned(),
        };
        let first = Arc::as_ptr(&accounts.account(&owner("o", "ana")));
        assert_eq!(Arc::as_ptr(&accounts.account(&owner("o", "ana"))), first);
        assert_ne!(Arc::as_ptr(&accounts.account(&owner("p", "ana"))), first);
        assert_ne!(Arc::as_ptr(&accounts.account(&owner("o", "bob"))), first);
    }
}
