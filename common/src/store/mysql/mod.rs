//! Stands in for the store on MySQL until that is merged: a type without values.

use std::net::IpAddr;

use async_trait::async_trait;

use super::{Behind, BlobClass, Change, NamedBlob, OpenOptions, Outcome, Store, StoreError};
use crate::api::{Account, ContactList, Entry, Profile};
use crate::id::{ConvId, DeviceId, GroupId, Millis, Peer, Seq, UserId};

#[derive(Debug)]
pub enum MySqlStore {}

impl MySqlStore {
    #[allow(clippy::unused_async, reason = "the real one waits")]
    pub async fn open(_url: &str, _options: &OpenOptions) -> Result<Self, StoreError> {
        Err(StoreError::Unreachable("not built yet".to_owned()))
    }
}

#[async_trait]
impl Store for MySqlStore {
    async fn commit(&self, _: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        match *self {}
    }
    async fn pull(&self, _: ConvId, _: Seq, _: u32) -> Result<Vec<Entry>, StoreError> {
        match *self {}
    }
    async fn behind(&self, _: UserId, _: DeviceId) -> Result<Vec<Behind>, StoreError> {
        match *self {}
    }
    async fn cursor(&self, _: UserId, _: DeviceId, _: ConvId) -> Result<Seq, StoreError> {
        match *self {}
    }
    async fn account_named(&self, _: &str) -> Result<Option<Account>, StoreError> {
        match *self {}
    }
    async fn account(&self, _: UserId) -> Result<Option<Account>, StoreError> {
        match *self {}
    }
    async fn profile_named(&self, _: &str) -> Result<Option<Profile>, StoreError> {
        match *self {}
    }
    async fn profiles(&self, _: &[Peer]) -> Result<Vec<Profile>, StoreError> {
        match *self {}
    }
    async fn contacts(&self, _: UserId) -> Result<ContactList, StoreError> {
        match *self {}
    }
    async fn peers(&self, _: UserId) -> Result<Vec<Peer>, StoreError> {
        match *self {}
    }
    async fn members(&self, _: GroupId) -> Result<Vec<UserId>, StoreError> {
        match *self {}
    }
    async fn blob_named(&self, _: BlobClass, _: &str) -> Result<Option<NamedBlob>, StoreError> {
        match *self {}
    }
    async fn last_login_from(&self, _: IpAddr) -> Result<Option<Millis>, StoreError> {
        match *self {}
    }
    async fn uploaded(&self, _: IpAddr, _: i64) -> Result<u64, StoreError> {
        match *self {}
    }
    async fn ping(&self) -> Result<(), StoreError> {
        match *self {}
    }
    async fn close(&self) {
        match *self {}
    }
}
