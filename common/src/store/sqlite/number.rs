//! Our numbers as SQLite's: signed integers of 64 bits.
//!
//! Sequence numbers, conversations and sizes fit by their meaning; what does not fit was never
//! stored, so that for a look-up the largest number does as well. Device numbers use all 64 bits
//! and are stored with the same bits.

use crate::id::{ConvId, DeviceId, Peer, Seq, UserId};
use crate::store::StoreError;

pub(super) fn from_u64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn to_u64(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| unexpected("a number", number))
}

pub(super) fn from_conv(conv: ConvId) -> i64 {
    from_u64(conv.0)
}

pub(super) fn from_seq(seq: Seq) -> i64 {
    from_u64(seq.0)
}

pub(super) fn to_seq(number: i64) -> Result<Seq, StoreError> {
    u64::try_from(number)
        .map(Seq)
        .map_err(|_| unexpected("a sequence number", number))
}

pub(super) fn from_device(device: DeviceId) -> i64 {
    device.0.cast_signed()
}

pub(super) fn to_device(number: i64) -> DeviceId {
    DeviceId(number.cast_unsigned())
}

pub(super) fn to_user(number: i64) -> Result<UserId, StoreError> {
    match to_peer(number)? {
        Peer::User(user) => Ok(user),
        Peer::Group(_) => Err(unexpected("a user id", number)),
    }
}

pub(super) fn to_peer(number: i64) -> Result<Peer, StoreError> {
    u32::try_from(number)
        .ok()
        .and_then(Peer::from_number)
        .ok_or_else(|| unexpected("an id", number))
}

fn unexpected(what: &str, number: i64) -> StoreError {
    StoreError::Broken(format!("{number} as {what}"))
}
