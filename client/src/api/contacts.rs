//! Other people: finding them, contacts, requests, blocks, where they are.

use http::Method;
use serde_json::{Value, json};

use super::Api;
use super::call::{piece, query};
use super::conversations::as_parameter;
use crate::error::Result;
use crate::model::{Contact, ContactRequest, Page, Presence, User, UserId};

impl Api {
    /// A profile.
    ///
    /// # Errors
    /// `no_such_user`, `unauthenticated`; the network's.
    pub async fn user(&self, user: UserId) -> Result<User> {
        self.get(&format!("/users/{user}")).await
    }

    /// A piece of the users whose user name or nickname begins so, or whose number it is. `cursor`
    /// is `next` of the piece before.
    ///
    /// # Errors
    /// `unauthenticated`, `rate_limited`; the network's.
    pub async fn find_users(
        &self,
        begins: &str,
        limit: u32,
        cursor: Option<&Value>,
    ) -> Result<Page<User>> {
        let query = query(&[
            ("query", Some(begins.to_owned())),
            ("limit", Some(limit.to_string())),
            ("cursor", cursor.map(as_parameter)),
        ]);
        self.get(&format!("/users{query}")).await
    }

    /// All contacts.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn contacts(&self) -> Result<Vec<Contact>> {
        let page: Page<Contact> = self.get("/contacts").await?;
        Ok(page.items)
    }

    /// Asks somebody to be a contact.
    ///
    /// # Errors
    /// `no_such_user`, `already_friends`, `blocked`, `oneself`, `limit_reached`; the network's.
    pub async fn request_contact(&self, user: UserId, note: &str) -> Result<ContactRequest> {
        let body = json!({"user_id": user.to_string(), "note": note});
        self.post("/contacts/requests", &body).await
    }

    /// Open requests, incoming and outgoing.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn contact_requests(&self) -> Result<Vec<ContactRequest>> {
        let page: Page<ContactRequest> = self.get("/contacts/requests").await?;
        Ok(page.items)
    }

    /// Says yes or no to a request.
    ///
    /// # Errors
    /// `no_such_request`, `limit_reached`; the network's.
    pub async fn answer_contact(&self, request: u64, accept: bool) -> Result<()> {
        let verb = if accept { "accept" } else { "decline" };
        let path = format!("/contacts/requests/{request}/{verb}");
        self.tell(Method::POST, &path, None::<&()>).await
    }

    /// Ends being contacts, for both.
    ///
    /// # Errors
    /// `no_such_contact`; the network's.
    pub async fn remove_contact(&self, user: UserId) -> Result<()> {
        self.tell(Method::DELETE, &format!("/contacts/{user}"), None::<&()>)
            .await
    }

    /// Whom the user blocked.
    ///
    /// # Errors
    /// `unauthenticated`; the network's.
    pub async fn blocks(&self) -> Result<Vec<User>> {
        let page: Page<User> = self.get("/blocks").await?;
        Ok(page.items)
    }

    /// Blocks somebody, or takes it back.
    ///
    /// # Errors
    /// `no_such_user`, `oneself`; the network's.
    pub async fn set_blocked(&self, user: UserId, blocked: bool) -> Result<()> {
        let method = if blocked { Method::PUT } else { Method::DELETE };
        self.tell(method, &format!("/blocks/{user}"), None::<&()>)
            .await
    }

    /// Where these users are: contacts and members of common groups, at most 500.
    ///
    /// # Errors
    /// `invalid_parameter`, `unauthenticated`; the network's.
    pub async fn presence(&self, users: &[UserId]) -> Result<Vec<Presence>> {
        let users: Vec<String> = users.iter().map(ToString::to_string).collect();
        let page: Page<Presence> = self
            .get(&format!("/presence?users={}", piece(&users.join(","))))
            .await?;
        Ok(page.items)
    }
}
