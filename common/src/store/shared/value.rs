//! Values and rows as both databases understand them.

use crate::id::{BlobId, ConvId, DeviceId, HookId, Millis, Peer, Seq, SessionId, UserId};
use crate::store::StoreError;

/// A value in a statement or a row. Every number of ours fits into 63 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(in crate::store) Vec<Value>);

impl Row {
    fn wrong(column: usize, wanted: &str, found: &Value) -> StoreError {
        StoreError::Broken(format!("column {column} is {found:?}, not {wanted}"))
    }

    fn cell(&self, column: usize) -> Result<&Value, StoreError> {
        self.0
            .get(column)
            .ok_or_else(|| StoreError::Broken(format!("a row has no column {column}")))
    }

    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.cell(column)? {
            Value::Int(int) => Ok(*int),
            // MySQL gives sums as decimals, and decimals as text.
            Value::Bytes(digits) => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(|| Self::wrong(column, "a number", &Value::Bytes(digits.clone()))),
            other => Err(Self::wrong(column, "a number", other)),
        }
    }

    /// As [`Row::int`]; `None` for NULL.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.cell(column)? {
            Value::Null => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    pub fn unsigned(&self, column: usize) -> Result<u64, StoreError> {
        let int = self.int(column)?;
        u64::try_from(int).map_err(|_| Self::wrong(column, "positive", &Value::Int(int)))
    }

    pub fn u32(&self, column: usize) -> Result<u32, StoreError> {
        let int = self.int(column)?;
        u32::try_from(int).map_err(|_| Self::wrong(column, "a small number", &Value::Int(int)))
    }

    /// Text; NULL, which original databases hold anywhere, is the empty one.
    pub fn text(&self, column: usize) -> Result<String, StoreError> {
        match self.cell(column)? {
            Value::Null => Ok(String::new()),
            Value::Text(text) => Ok(text.clone()),
            Value::Bytes(bytes) => String::from_utf8(bytes.clone())
                .map_err(|_| Self::wrong(column, "text", &Value::Bytes(bytes.clone()))),
            other @ Value::Int(_) => Err(Self::wrong(column, "text", other)),
        }
    }

    /// Bytes; `None` for NULL.
    pub fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, StoreError> {
        match self.cell(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone().into_bytes())),
            Value::Bytes(bytes) => Ok(Some(bytes.clone())),
            other @ Value::Int(_) => Err(Self::wrong(column, "bytes", other)),
        }
    }

    pub fn flag(&self, column: usize) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    pub fn user(&self, column: usize) -> Result<UserId, StoreError> {
        self.u32(column).map(UserId)
    }

    pub fn peer(&self, column: usize) -> Result<Peer, StoreError> {
        let number = self.u32(column)?;
        Peer::from_number(number)
            .ok_or_else(|| Self::wrong(column, "anybody's", &Value::Int(number.into())))
    }

    pub fn conv(&self, column: usize) -> Result<ConvId, StoreError> {
        self.unsigned(column).map(ConvId)
    }

    pub fn seq(&self, column: usize) -> Result<Seq, StoreError> {
        self.unsigned(column).map(Seq)
    }

    pub fn millis(&self, column: usize) -> Result<Millis, StoreError> {
        self.int(column).map(Millis)
    }

    /// Device numbers use all 64 bits; they are stored as the signed number of the same bits in
    /// SQLite and unsigned in MySQL.
    pub fn device(&self, column: usize) -> Result<DeviceId, StoreError> {
        self.unsigned(column).map(DeviceId)
    }

    pub fn session(&self, column: usize) -> Result<SessionId, StoreError> {
        self.unsigned(column).map(SessionId)
    }

    pub fn hook(&self, column: usize) -> Result<HookId, StoreError> {
        self.unsigned(column).map(HookId)
    }

    pub fn blob(&self, column: usize) -> Result<BlobId, StoreError> {
        let text = self.text(column)?;
        BlobId::from_hex(&text).ok_or_else(|| Self::wrong(column, "a hash", &Value::Text(text)))
    }
}

/// A number that is known to fit: ids and places stay below 2^63.
fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

macro_rules! from_numbers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(id: $kind) -> Self {
                int(u64::from(id.0))
            }
        }
    )*};
}
from_numbers!(
    UserId,
    crate::id::GroupId,
    ConvId,
    Seq,
    DeviceId,
    SessionId,
    HookId
);

impl From<Millis> for Value {
    fn from(at: Millis) -> Self {
        Self::Int(at.0)
    }
}

impl From<Peer> for Value {
    fn from(peer: Peer) -> Self {
        Self::Int(peer.number().into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<BlobId> for Value {
    fn from(blob: BlobId) -> Self {
        Self::Text(blob.to_string())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

/// `(?, ?, ?)` for so many values.
pub(super) fn marks(count: usize) -> String {
    let mut marks = "?, ".repeat(count);
    marks.truncate(marks.len().saturating_sub(2));
    format!("({marks})")
}
