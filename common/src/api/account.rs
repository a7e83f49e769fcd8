//! Accounts, profiles and contact lists.

use crate::id::{Peer, UserId};

/// The contact list that every user has and nobody can delete or rename.
pub const DEFAULT_TEAM: &str = "My Friends";

/// The birthday of an account whose owner never said one: what the existing clients show then.
pub const BIRTHDAY_UNSET: i32 = 19_900_101;

/// What others see of a user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub id: Peer,
    /// The login name; for a group its id in decimal.
    pub username: String,
    /// The display name; for a group its name.
    pub nickname: String,
    pub avatar: Avatar,
    /// 0 or 1, as the clients choose it.
    pub gender: i32,
    /// As a decimal number yyyymmdd.
    pub birthday: i32,
    pub signature: String,
    pub address: String,
    pub phone: String,
    pub mail: String,
    /// It is a program: see `store::bot`.
    pub is_bot: bool,
}

/// A built-in picture by number, or a picture on the image server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Avatar {
    /// Which built-in picture.
    pub builtin: i32,
    /// The picture's name on the image server; empty for a built-in one.
    pub custom: String,
}

impl Profile {
    /// A profile as it is right after registration.
    pub fn fresh(id: Peer, username: impl Into<String>, nickname: impl Into<String>) -> Self {
        Self {
            id,
            username: username.into(),
            nickname: nickname.into(),
            avatar: Avatar::default(),
            gender: 0,
            birthday: BIRTHDAY_UNSET,
            signature: String::new(),
            address: String::new(),
            phone: String::new(),
            mail: String::new(),
            is_bot: false,
        }
    }
}

/// A user that can log in.
#[derive(Clone)]
pub struct Account {
    pub id: UserId,
    pub profile: Profile,
    /// The argon2id hash as a PHC string; empty while only the plain-text password of an adopted
    /// database is known.
    pub password_hash: String,
    /// The plain-text password of an adopted database; empty once a hash exists.
    pub password_plain: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A registration whose fields were checked.
#[derive(Clone)]
pub struct NewAccount {
    pub username: String,
    pub nickname: String,
    /// The argon2id hash as a PHC string.
    pub password_hash: String,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A friend, or a group one is a member of, as one user keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub profile: Profile,
    /// The list ("team") the owner keeps it in.
    pub team: String,
    /// The owner's own remark; empty for none.
    pub remark: String,
}

/// All of a user's contacts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactList {
    /// The names of the lists in the owner's order. The first is [`DEFAULT_TEAM`] if the owner
    /// never made one; names are unique.
    pub teams: Vec<String>,
    /// In the order in which they became contacts.
    pub contacts: Vec<Contact>,
}

/// A change of the names of a user's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamEdit {
    Add {
        name: String,
    },
    /// The contacts of the list move to [`DEFAULT_TEAM`].
    Remove {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
}
