//! Numbers for devices and sessions of the API: computed from what the client calls its device, or
//! random.

use sha2::{Digest, Sha256};

use crate::id::{API_DEVICE_FIRST, DeviceId, NAMELESS_DEVICE_FIRST, UserId};

/// Databases keep numbers as signed 64-bit integers.
const NUMBER_MAX: u64 = i64::MAX.unsigned_abs();

/// The device that this user's client calls by this name: the same name is the same device.
pub fn device_named(user: UserId, name: &str) -> DeviceId {
    let hash = Sha256::new()
        .chain_update(user.0.to_be_bytes())
        .chain_update(name.as_bytes())
        .finalize();
    let mut number = [0; 8];
    number.copy_from_slice(&hash[..8]);
    lasting(u64::from_be_bytes(number))
}

/// A device that lasts longer than its sign-ins, though its client gives it no name.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn lasting_device() -> Result<DeviceId, getrandom::Error> {
    let mut number = [0; 8];
    getrandom::fill(&mut number)?;
    Ok(lasting(u64::from_be_bytes(number)))
}

fn lasting(number: u64) -> DeviceId {
    DeviceId(number % (NAMELESS_DEVICE_FIRST - API_DEVICE_FIRST) + API_DEVICE_FIRST)
}

/// A device that nobody gave a name.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn nameless_device() -> Result<DeviceId, getrandom::Error> {
    let number = random_number()? % (NUMBER_MAX - NAMELESS_DEVICE_FIRST);
    Ok(DeviceId(number + NAMELESS_DEVICE_FIRST))
}

/// A number that nobody can guess, in the range of sessions.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn random_number() -> Result<u64, getrandom::Error> {
    let mut number = [0; 8];
    getrandom::fill(&mut number)?;
    Ok(in_range(u64::from_be_bytes(number)))
}

/// Letters and digits that nobody takes for each other, and that no shell or link has to escape.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A text that nobody can guess: each letter is worth 5 bits.
///
/// # Errors
/// If the operating system gives no random numbers.
pub fn random_text(length: usize) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    Ok(bytes.into_iter().map(letter).collect())
}

fn in_range(number: u64) -> u64 {
    number % (NUMBER_MAX - API_DEVICE_FIRST) + API_DEVICE_FIRST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_text_is_another_one_each_time() {
        let text = random_text(20).unwrap();
        assert_eq!(text.len(), 20);
        assert!(text.bytes().all(|byte| LETTERS.contains(&byte)));
        assert_ne!(text, random_text(20).unwrap());
    }

    #[test]
    fn a_name_is_a_device_of_its_user() {
        let device = device_named(UserId(7), "laptop");
        assert_eq!(device, device_named(UserId(7), "laptop"));
        assert_ne!(device, device_named(UserId(7), "phone"));
        assert_ne!(device, device_named(UserId(8), "laptop"));
        assert!(device.acknowledges() && device.0 < NAMELESS_DEVICE_FIRST);
        let nameless = nameless_device().unwrap().0;
        assert!((NAMELESS_DEVICE_FIRST..=NUMBER_MAX).contains(&nameless));
        for number in [0, 255, 256, NUMBER_MAX, u64::MAX] {
            let number = in_range(number);
            assert!(
                (API_DEVICE_FIRST..=NUMBER_MAX).contains(&number),
                "{number}"
            );
        }
    }
}
