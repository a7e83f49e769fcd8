//! The names by which the old clients ask for files.

use crate::blob::PlainName;

/// The MD5 that names an upload: 32 hexadecimal digits, kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Md5Name(String);

impl Md5Name {
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let hex = bytes.len() == 32 && bytes.iter().all(u8::is_ascii_hexdigit);
        let text = hex.then(|| String::from_utf8(bytes.to_ascii_lowercase()).ok())?;
        text.map(Self)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    /// An uploaded file, found through the database.
    Md5(Md5Name),
    /// A file that the operator put into the file cache, such as `update.version`.
    Plain(PlainName),
}

impl FileName {
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        match Md5Name::new(bytes) {
            Some(name) => Some(Self::Md5(name)),
            None => PlainName::new(bytes).map(Self::Plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_named_by_32_hex_digits() {
        let lower = "900150983cd24fb0d6963f7d28e17f72";
        let upper = lower.to_uppercase();
        assert_eq!(Md5Name::new(upper.as_bytes()).unwrap().as_str(), lower);
        let (short, long) = (&lower[1..], format!("{lower}0"));
        let path = format!("../{}", &lower[3..]);
        let nul = lower.replace('9', "\0");
        let multi = "é".repeat(16);
        for bad in ["", short, &long, &path, "/etc/passwd", &nul, &multi] {
            assert_eq!(Md5Name::new(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn a_download_may_have_a_plain_name_too() {
        assert!(matches!(
            FileName::new(b"update.version"),
            Some(FileName::Plain(_))
        ));
        assert!(matches!(FileName::new(&[b'A'; 32]), Some(FileName::Md5(_))));
        assert_eq!(FileName::new(b"../etc/passwd"), None);
        assert_eq!(FileName::new(b""), None);
    }
}
