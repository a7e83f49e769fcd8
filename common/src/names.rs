//! What a user name looks like to people, so that nobody new can be taken for somebody else.
//!
//! Knows no store, and refuses nothing: whoever is there already has the name that he has. Signs that
//! look alike are those of Unicode's technical standard 39. Why a name has more than one look is told
//! in `docs/decisions/0022-names-that-look-alike.md`.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// The width of `t_name_look.f_look`, in bytes. Only an old name of hundreds of letters is cut.
const LOOK_BYTES_MAX: usize = 1020;

/// The looks of a name, each once, in order: at most three. Two names that share one are told apart
/// by nobody who does not look twice.
pub fn looks(name: &str) -> Vec<String> {
    let name: String = name.trim().nfkc().collect();
    let as_written = strokes_among_capitals(skeleton(&name).collect());
    let capitals = name.to_uppercase();
    // A stroke among capitals is an I; in the standard, every stroke is the small l.
    let in_capitals: String = skeleton(&capitals)
        .map(|sign| if sign == 'l' { 'I' } else { sign })
        .collect();
    let mut looks = [name, as_written, in_capitals]
        .map(|name| look(&name))
        .to_vec();
    looks.retain(|look| !look.is_empty());
    looks.sort_unstable();
    looks.dedup();
    looks
}

/// The version of [`looks`]: what another one made is made anew.
pub fn looks_version() -> String {
    let alike = unicode_security::UNICODE_VERSION;
    let plain = unicode_normalization::UNICODE_VERSION;
    let case = char::UNICODE_VERSION;
    // The first number is that of the rules in this file.
    format!("1/{alike:?}/{plain:?}/{case:?}").replace(' ', "")
}

/// Who writes capitals with a small l among them wants it to be read as an I.
fn strokes_among_capitals(name: String) -> String {
    let mut letters = name.chars().filter(|sign| *sign != 'l');
    let has_capital = name.contains(char::is_uppercase);
    match has_capital && letters.all(|sign| !sign.is_lowercase()) {
        true => name.replace('l', "I"),
        false => name,
    }
}

/// What is seen of a name that is written in small letters.
fn look(name: &str) -> String {
    let small: String = name.chars().flat_map(char::to_lowercase).collect();
    // The shape of some small letters and digits is a capital.
    let shape = skeleton(&small).flat_map(char::to_lowercase);
    let shape: String = shape.collect();
    // One space looks like two, and some signs like a space.
    let mut look = shape.split_whitespace().collect::<Vec<_>>().join(" ");
    look.truncate(look.floor_char_boundary(LOOK_BYTES_MAX));
    look
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn are_alike(one: &str, other: &str) -> bool {
        let others = looks(other);
        looks(one).iter().any(|look| others.contains(look))
    }

    #[test]
    fn names_that_look_alike() {
        for (one, other) in [
            ("ann", "Ann"),
            ("ann", "ANN"),
            // Cyrillic, Greek, and both with other capitals than small letters.
            ("ann", "аnn"),
            ("anna", "Аnnа"),
            ("bob", "Вob"),
            ("bob", "ΒOB"),
            ("вася", "Bася"),
            ("Вася", "Bacя"),
            ("наташа", "Hаташа"),
            ("нет", "HET"),
            ("paypal", "PaypaI"),
            ("paypal", "paypa1"),
            ("ian", "Ian"),
            ("lan", "Ian"),
            ("ian", "1AN"),
            ("admin", "ADMlN"),
            ("Ivan", "lVAN"),
            ("paypal", "PAYPAl"),
            ("13800138000", "l38OOl38OOO"),
            ("13800138000", "I38ooI38ooo"),
            ("bern", "bem"),
            ("straße", "STRASSE"),
            ("σοφός", "ΣΟΦΌΣ"),
            ("ırmak", "irmak"),
            ("o'brien", "o’brien"),
            // As only old accounts are called.
            ("ann", " ann"),
            ("ann", "a\u{200b}nn"),
            ("bob", "ｂｏｂ"),
            ("ann", "ann\u{2800}"),
            ("ann lee", "ann  lee"),
            ("éva", "e\u{301}va"),
            ("口", "囗"),
            ("王未", "王末"),
            ("吴", "吳"),
        ] {
            assert!(are_alike(one, other), "{one} {other}");
            assert!(are_alike(other, one), "{other} {one}");
        }
    }

    #[test]
    fn names_that_do_not() {
        for (one, other) in [
            ("ann", "anna"),
            ("ann", "änn"),
            ("ian", "lan"),
            ("kai", "kal"),
            ("nick", "vick"),
            ("yan", "uan"),
            ("user1", "user7"),
            ("13800138000", "13800138001"),
            ("ann2", "annz"),
            ("张三", "张二"),
            ("王五", "王三"),
            ("大明", "太明"),
            ("анна", "инна"),
            ("🙂", "🙃"),
        ] {
            assert!(!are_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn most_names_have_one_look() {
        for name in ["ann", "Bob", "TOM", "José", "张三", "用户2", "🙂"] {
            assert_eq!(looks(name).len(), 1, "{:?}", looks(name));
        }
        assert_eq!(looks("Ian"), ["ian", "lan"]);
        assert_eq!(looks("13"), ["i3", "l3"]);
        for nothing in [" \u{200b}", "\u{2800}"] {
            assert_eq!(looks(nothing), [""; 0]);
        }
    }

    proptest! {
        #[test]
        fn any_name_looks_like_itself(name in any::<String>()) {
            let looks = looks(&name);
            prop_assert!(looks.len() <= 3);
            prop_assert!(looks.iter().all(|look| look.len() <= LOOK_BYTES_MAX));
            // Letter by letter: a word's last sigma has a form of its own.
            let small: String = name.chars().flat_map(char::to_lowercase).collect();
            for other in [small, name.to_uppercase()] {
                prop_assert!(looks.is_empty() || are_alike(&name, &other), "{name} {other}");
            }
        }

        #[test]
        fn no_two_numbers_look_alike(one in 0..1_000_000_u32, other in 0..1_000_000_u32) {
            prop_assert_eq!(one == other, are_alike(&one.to_string(), &other.to_string()));
        }
    }
}
