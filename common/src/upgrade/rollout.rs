//! Which package a device is offered: the highest one that is out for it.

use sha2::{Digest, Sha256};

use super::Version;

/// A package as far as one chooses by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub number: u32,
    pub version: Version,
    /// How many of a hundred devices it is for.
    pub percent: u32,
    pub is_withdrawn: bool,
    /// Existing Windows clients are told of it.
    pub is_for_old: bool,
}

impl Offer {
    fn is_out_for(&self, device: &str) -> bool {
        !self.is_withdrawn && place(device, &self.version) < self.percent
    }
}

/// What a device is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub number: u32,
    /// It is older than what the device has, which was withdrawn.
    pub is_rollback: bool,
}

/// Where a device stands among a hundred for a version: always at the same place, and for another
/// version elsewhere, so that it is not always the same ones who get everything first.
fn place(device: &str, version: &Version) -> u32 {
    let digest = Sha256::digest(format!("{device}\n{version}"));
    let bytes = digest
        .first_chunk()
        .map_or(0, |first| u64::from_be_bytes(*first));
    u32::try_from(bytes % 100).unwrap_or(0)
}

/// The highest package that is out for this device.
pub fn newest_for<'a>(offers: &'a [Offer], device: &str) -> Option<&'a Offer> {
    let out = offers.iter().filter(|offer| offer.is_out_for(device));
    out.max_by(|one, other| one.version.cmp(&other.version))
}

/// What a device that has this version is offered: something newer, or, if what it has was
/// withdrawn, what was there before.
pub fn choose(offers: &[Offer], device: &str, has: &Version) -> Option<Chosen> {
    let newest = newest_for(offers, device)?;
    let was_withdrawn = || {
        let same = offers.iter().find(|offer| offer.version == *has);
        same.is_some_and(|offer| offer.is_withdrawn)
    };
    let is_newer = newest.version > *has;
    (is_newer || was_withdrawn()).then_some(Chosen {
        number: newest.number,
        is_rollback: !is_newer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(all: &[(&str, u32, bool)]) -> Vec<Offer> {
        let offer = |(number, (version, percent, is_withdrawn)): (u32, &(&str, u32, bool))| Offer {
            number,
            version: version.parse().unwrap(),
            percent: *percent,
            is_withdrawn: *is_withdrawn,
            is_for_old: false,
        };
        (1..).zip(all).map(offer).collect()
    }

    fn chosen(all: &[(&str, u32, bool)], has: &str) -> Option<(u32, bool)> {
        let chosen = choose(&offers(all), "d", &has.parse().unwrap());
        chosen.map(|chosen| (chosen.number, chosen.is_rollback))
    }

    #[test]
    fn the_newest_is_offered_to_who_has_less() {
        let all = [
            ("1.9.0", 100, false),
            ("1.10.0", 100, false),
            ("1.11.0", 0, false),
        ];
        assert_eq!(chosen(&all, "1.8.0"), Some((2, false)));
        assert_eq!(chosen(&all, "1.9.0"), Some((2, false)));
        assert_eq!(chosen(&all, "1.10.0"), None);
        // Somebody who develops.
        assert_eq!(chosen(&all, "9.0.0"), None);
        assert_eq!(chosen(&[], "1.0.0"), None);
    }

    #[test]
    fn who_has_what_was_withdrawn_goes_back() {
        let all = [("1.0.0", 100, false), ("1.1.0", 100, true)];
        assert_eq!(chosen(&all, "1.1.0"), Some((1, true)));
        assert_eq!(chosen(&all, "1.0.0"), None);
        assert_eq!(chosen(&all, "0.9.0"), Some((1, false)));
        assert_eq!(chosen(&[("1.1.0", 100, true)], "1.1.0"), None);
        // Something newer is no way back.
        let repaired = [("1.1.0", 100, true), ("1.1.1", 100, false)];
        assert_eq!(chosen(&repaired, "1.1.0"), Some((2, false)));
    }

    #[test]
    fn a_percentage_is_of_devices_and_grows() {
        let version: Version = "1.2.3".parse().unwrap();
        let devices: Vec<String> = (0..1000).map(|n| format!("device {n}")).collect();
        let under = |percent| -> Vec<&String> {
            let has = |device: &&String| place(device, &version) < percent;
            devices.iter().filter(has).collect()
        };
        for percent in [0, 10, 50, 100] {
            let count = u32::try_from(under(percent).len()).unwrap();
            assert!(count.abs_diff(percent * 10) <= 40, "{percent}: {count}");
        }
        assert_eq!((under(0).len(), under(100).len()), (0, 1000));
        assert!(under(10).iter().all(|device| under(50).contains(device)));
        let other: Version = "1.2.4".parse().unwrap();
        let first = |device: &&String| place(device, &other) < 10;
        let again = under(10).into_iter().filter(first).count();
        assert!(again < 50, "{again} of the first are the first again");
    }
}
