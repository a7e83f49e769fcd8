//! Which addresses are out there, for everybody: the opposite of those that only this machine, its
//! network or nobody has.
//!
//! A server that posts wherever its users say must not be a way into its own network. The lists
//! follow the IANA registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks of IPv4 that are not public: address, length of the prefix.
const NOT_PUBLIC_V4: [([u8; 4], u32); 16] = [
    // This network, unspecified.
    ([0, 0, 0, 0], 8),
    // Private.
    ([10, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
    // Behind the NAT of a provider.
    ([100, 64, 0, 0], 10),
    // Loopback.
    ([127, 0, 0, 0], 8),
    // Link-local, where clouds tell machines their secrets.
    ([169, 254, 0, 0], 16),
    // For protocols.
    ([192, 0, 0, 0], 24),
    // Relays of 6to4.
    ([192, 88, 99, 0], 24),
    // Benchmarks.
    ([198, 18, 0, 0], 15),
    // Documentation.
    ([192, 0, 2, 0], 24),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([233, 252, 0, 0], 24),
    // Multicast.
    ([224, 0, 0, 0], 4),
    // Reserved, and broadcast.
    ([240, 0, 0, 0], 4),
];

/// Networks inside of 2000::/3, the only one with public addresses of IPv6, that are not.
const NOT_PUBLIC_V6: [([u16; 3], u32); 3] = [
    // For protocols, with Teredo, which holds an address of IPv4.
    ([0x2001, 0, 0], 23),
    // Documentation.
    ([0x2001, 0x0db8, 0], 32),
    ([0x3fff, 0, 0], 20),
];

/// The address that a connection really goes to: an address of IPv4 that is written as one of IPv6
/// is one of IPv4.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Whether it is an address of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !NOT_PUBLIC_V4
        .iter()
        .any(|(network, length)| same_prefix(bits, u32::from_be_bytes(*network), *length))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    if let Some(inner) = translated(parts) {
        return is_public_v4(inner);
    }
    let is_global = parts[0] & 0xe000 == 0x2000;
    let bits = address.to_bits();
    is_global
        && !NOT_PUBLIC_V6.iter().any(|(network, length)| {
            let [a, b, c] = *network;
            let network = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits();
            (bits ^ network).leading_zeros() >= *length
        })
}

/// The address of IPv4 to which a translator on the way sends what goes to this one.
fn translated(parts: [u16; 8]) -> Option<Ipv4Addr> {
    let joined = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        // NAT64.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(joined(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some(joined(high, low)),
        _ => None,
    }
}

fn same_prefix(one: u32, other: u32, length: u32) -> bool {
    (one ^ other).leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSED: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "233.252.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        // Mapped, compatible, and translated without a state.
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "::10.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8",
        // NAT64 and 6to4 of what is not public, and NAT64 of one's own network.
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::10.1.2.3",
        "64:ff9b:1::8.8.8.8",
        "64:ff9b:1:ffff:ffff:ffff:7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:101::1",
        "2002:a9fe:a9fe::",
        // Only to be thrown away.
        "100::1",
        // For protocols: Teredo, benchmarks, ORCHID.
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2001:db8:ffff::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        // Unique local, link-local, site-local, multicast.
        "fc00::1",
        "fd00::1",
        "fd00:ec2::254",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "4000::1",
        "8000::1",
    ];

    const TAKEN: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.101.0",
        "203.0.112.255",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2606:4700:4700::1111",
        "2a00:1450:4001:830::200e",
        "3ffe:ffff::1",
        "3fff:1000::1",
    ];

    #[test]
    fn only_what_is_public_is_public() {
        for (list, is_taken) in [(REFUSED, false), (TAKEN, true)] {
            for text in list {
                let address: IpAddr = text.parse().unwrap();
                assert_eq!(is_public(address), is_taken, "{text}");
            }
        }
    }

    proptest! {
        /// However an address of IPv4 is written, the answer is the same, or no.
        #[test]
        fn no_way_of_writing_makes_an_address_public(bits in any::<u32>()) {
            let plain = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = plain.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let public = is_public(IpAddr::V4(plain));
            for same in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(is_public(IpAddr::V6(same)), public, "{}", same);
            }
            for never in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            ] {
                prop_assert!(!is_public(IpAddr::V6(never)), "{}", never);
            }
            // What the standard library knows agrees.
            if plain.is_private() || plain.is_loopback() || plain.is_link_local()
                || plain.is_multicast() || plain.is_broadcast() || plain.is_documentation()
                || plain.is_unspecified()
            {
                prop_assert!(!public, "{}", plain);
            }
        }

        #[test]
        fn nothing_outside_of_the_global_network_is_public(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            let is_global = address.segments()[0] & 0xe000 == 0x2000;
            let is_translated = translated(address.segments()).is_some()
                || address.to_ipv4_mapped().is_some();
            prop_assert!(!is_public(IpAddr::V6(address)) || is_global || is_translated);
        }
    }
}
