//! The vocabulary that all protocols and all stores share.
//!
//! Plain values: no protocol's field names, no SQL, no I/O.

mod account;
mod blob;
mod device;
mod entry;
mod group;
mod refusal;
mod segment;

pub use account::{
    Account, Avatar, BIRTHDAY_UNSET, Contact, ContactList, DEFAULT_TEAM, NewAccount, Profile,
    TeamEdit,
};
pub use blob::BlobClass;
pub use device::DeviceKind;
pub use entry::{Body, Dialect, Entry, Notice, Origin};
pub use group::{GroupPolicy, GroupSettings, InvitePolicy, JoinPolicy, Member, Role};
pub use refusal::Refusal;
pub use segment::{
    FILE_NAME_BYTES_MAX, ForwardedFrom, KnownSegment, Mentioned, SEGMENTS_MAX, Segment,
    SegmentedContent, files_of,
};
