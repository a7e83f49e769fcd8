//! How the Android client writes the sizes in its headers, mistakes included.
//!
//! It adds up *signed* bytes, so a negative byte borrows from its neighbor. The size in the header
//! is then wrong, while the total in the body is right; a header that is exactly what the mistake
//! makes of the total tells that the total should be believed.

use super::stream::PREFIX_BYTES;

/// The size bytes Android writes into a chat header. (It shifts the third byte by 16, not by 8.)
pub(super) fn chat_size(size: u32) -> [u8; 4] {
    sum(size, [24, 16, 16, 0])
}

/// The first four size bytes Android writes into a file header.
pub(super) fn file_size(size: u32) -> [u8; 4] {
    sum(size, [24, 16, 8, 0])
}

fn sum(size: u32, shifts: [u32; 4]) -> [u8; 4] {
    size.to_le_bytes()
        .into_iter()
        .zip(shifts)
        .fold(0_i32, |sum, (byte, shift)| {
            sum.wrapping_add(i32::from(byte.cast_signed()).wrapping_shl(shift))
        })
        .to_be_bytes()
}

/// The size that was meant by a header saying `claimed` in the bytes `size_bytes`, in front of a
/// body beginning with `total`. A program that counts the prefix into `total` is never affected.
pub(super) fn meant(
    claimed: usize,
    size_bytes: [u8; 4],
    total: [u8; 4],
    encode: fn(u32) -> [u8; 4],
) -> usize {
    let total = u32::from_be_bytes(total);
    let prefix = u32::try_from(PREFIX_BYTES).expect("six");
    let Some(whole) = total.checked_add(prefix) else {
        return claimed;
    };
    let is = |size: u32| usize::try_from(size).is_ok_and(|size| size == claimed);
    if is(total) || is(whole) || encode(whole) != size_bytes {
        return claimed;
    }
    usize::try_from(whole).unwrap_or(claimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mistakes_of_the_specification() {
        for (size, bytes) in [
            (85, [85, 0, 0, 0]),
            (32767, [0xff, 0x7f, 0, 0]),
            (32768, [0xff, 0x80, 0, 0]),
            (33000, [0xe7, 0x80, 0, 0]),
            (40000, [0x3f, 0x9c, 0, 0]),
            (65536, [0, 1, 0, 0]),
            (65600, [0x40, 1, 0, 0]),
        ] {
            assert_eq!(chat_size(size), bytes, "{size}");
        }
        for (size, bytes) in [
            (32768, [0xff, 0x80, 0, 0]),
            (40000, [0x3f, 0x9c, 0, 0]),
            (65598, [0x3e, 0, 1, 0]),
            (70000, [0x70, 0x11, 1, 0]),
            (100_000, [0x9f, 0x86, 1, 0]),
        ] {
            assert_eq!(file_size(size), bytes, "{size}");
        }
    }

    #[test]
    fn only_the_mistake_itself_is_believed() {
        let total = |size: u32| (size - 6).to_be_bytes();
        let mistaken = [0xe7, 0x80, 0, 0];
        assert_eq!(meant(32999, mistaken, total(33000), chat_size), 33000);
        assert_eq!(meant(32999, mistaken, total(33001), chat_size), 32999);
        assert_eq!(
            meant(32999, mistaken, 32999_u32.to_be_bytes(), chat_size),
            32999
        );
        assert_eq!(meant(5, [5, 0, 0, 0], [0xff; 4], chat_size), 5);
    }
}
