//! Where a device is, as a text that it gives back: how `/sync` and event streams acknowledge.
//!
//! A position names what was delivered with it: the last place of each conversation. It is sealed
//! for one device and one history of the database.

use std::collections::BTreeMap;

use common::auth::TokenKeys;
use common::id::{ConvId, Seq};

use crate::actor::Actor;

const PURPOSE: &str = "position";
const VERSION: u8 = 1;

/// For whom a position is sealed.
#[derive(Debug)]
pub(super) struct Holder<'a> {
    pub(super) actor: &'a Actor,
    pub(super) epoch: &'a str,
}

/// What a text of this device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// What was delivered with it.
    At(BTreeMap<ConvId, Seq>),
    /// It belongs to another history: its places mean nothing in this one.
    OtherHistory,
}

impl Holder<'_> {
    fn device(&self) -> Vec<u8> {
        let mut device = vec![VERSION];
        device.extend(self.actor.user.0.to_be_bytes());
        device.extend(self.actor.device.0.to_be_bytes());
        device
    }

    /// The text for what was delivered; `None` only for an empty ring of keys.
    pub(super) fn seal(&self, keys: &TokenKeys, places: &BTreeMap<ConvId, Seq>) -> Option<String> {
        let mut content = self.device();
        let epoch = self.epoch.as_bytes();
        content.extend(u16::try_from(epoch.len()).unwrap_or(u16::MAX).to_be_bytes());
        content.extend(epoch);
        for (conv, seq) in places {
            content.extend(conv.0.to_be_bytes());
            write_number(&mut content, seq.0);
        }
        keys.seal(PURPOSE, &content)
    }

    /// What a text of this device says; `None` for every other text.
    pub(super) fn unseal(&self, keys: &TokenKeys, text: &str) -> Option<Position> {
        let content = keys.unseal(PURPOSE, text)?;
        let rest = content.strip_prefix(self.device().as_slice())?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (epoch, mut rest) = rest.split_at_checked(length)?;
        if epoch != self.epoch.as_bytes() {
            return Some(Position::OtherHistory);
        }
        let mut places = BTreeMap::new();
        while !rest.is_empty() {
            let (conv, behind) = rest.split_first_chunk()?;
            rest = behind;
            let seq = read_number(&mut rest)?;
            places.insert(ConvId(u64::from_be_bytes(*conv)), Seq(seq));
        }
        Some(Position::At(places))
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow. Most places need
/// one or two bytes, and a text in a query should be short.
fn write_number(to: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

fn read_number(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use common::id::{DeviceId, UserId};

    use super::*;

    fn actor(device: u64) -> Actor {
        Actor {
            user: UserId(7),
            username: "ann".into(),
            device: DeviceId(device),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    #[test]
    fn a_position_is_read_by_its_device_only() {
        let keys = TokenKeys::generate().unwrap();
        let places = BTreeMap::from([
            (ConvId::direct(UserId(7), UserId(9)), Seq(1)),
            (ConvId::inbox(UserId(7)), Seq(300)),
            (ConvId(2 << 60 | 300_000_000), Seq(u64::MAX >> 1)),
        ]);
        let (laptop, phone) = (actor(300), actor(301));
        let holder = |actor| Holder { actor, epoch: "e1" };
        let text = holder(&laptop).seal(&keys, &places).unwrap();
        assert_eq!(
            holder(&laptop).unseal(&keys, &text),
            Some(Position::At(places))
        );
        assert_eq!(holder(&phone).unseal(&keys, &text), None);
        let later = Holder {
            actor: &laptop,
            epoch: "e2",
        };
        assert_eq!(later.unseal(&keys, &text), Some(Position::OtherHistory));
        assert_eq!(holder(&laptop).unseal(&keys, "AAAA"), None);
    }
}
