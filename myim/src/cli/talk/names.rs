//! What people are called, asked once for each.

use std::collections::HashMap;

use client::Api;
use client::model::{User, UserId};

/// Remembers names for the time of one command.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<UserId, String>);

impl Names {
    pub(super) fn know(&mut self, user: &User) {
        self.0.insert(user.id, user.username.clone());
    }

    /// The user name, or the number if it cannot be found out.
    pub(super) async fn of(&mut self, api: &Api, user: UserId) -> String {
        if let Some(name) = self.0.get(&user) {
            return name.clone();
        }
        match api.user(user).await {
            Ok(found) => {
                self.know(&found);
                found.username
            }
            // The message is worth more than its author's name.
            Err(_) => user.to_string(),
        }
    }
}
