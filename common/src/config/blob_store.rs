//! Where files are kept: on the disk, or in a bucket of an S3-compatible object store.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::Url;

/// How the disk is called, which is the default.
const DISK: &str = "disk";

const FORMS: &str =
    "not disk, nor s3://BUCKET/PREFIX with ?endpoint=URL and &region=NAME if needed";

/// Where files are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BlobStoreAt {
    /// In the file cache itself.
    #[default]
    Disk,
    Bucket(BucketAt),
}

/// A bucket of an S3-compatible object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketAt {
    pub bucket: String,
    /// What all names in the bucket begin with; may be empty. No `/` at either end.
    pub prefix: String,
    /// Where the object store is, if it is not Amazon's.
    pub endpoint: Option<Url>,
    pub region: Option<String>,
}

impl FromStr for BlobStoreAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == DISK {
            return Ok(Self::Disk);
        }
        let url = Url::parse(text).map_err(|_| FORMS.to_owned())?;
        let bucket = url.host_str().unwrap_or_default();
        if url.scheme() != "s3" || bucket.is_empty() || url.port().is_some() {
            return Err(FORMS.to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "keys do not belong here; put them into AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            );
        }
        let mut at = BucketAt {
            bucket: bucket.to_owned(),
            prefix: url.path().trim_matches('/').to_owned(),
            endpoint: None,
            region: None,
        };
        for (key, value) in url.query_pairs() {
            match &*key {
                "endpoint" => at.endpoint = Some(endpoint(&value)?),
                "region" => at.region = Some(value.into_owned()),
                other => return Err(format!("{other} is none of endpoint and region")),
            }
        }
        Ok(Self::Bucket(at))
    }
}

fn endpoint(text: &str) -> Result<Url, String> {
    let usable = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let url = Url::parse(text).ok().filter(usable);
    url.ok_or_else(|| format!("the endpoint {text:?} is no URL with http or https"))
}

impl fmt::Display for BlobStoreAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk => f.write_str(DISK),
            Self::Bucket(at) => write!(f, "{at}"),
        }
    }
}

impl fmt::Display for BucketAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)?;
        let endpoint = self.endpoint.as_ref().map(|url| ("endpoint", url.as_str()));
        let region = self.region.as_deref().map(|region| ("region", region));
        let mut separator = '?';
        for (key, value) in endpoint.into_iter().chain(region) {
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            write!(f, "{separator}{key}={encoded}")?;
            separator = '&';
        }
        Ok(())
    }
}

impl Serialize for BlobStoreAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The variables of the environment that begin with `AWS_`: keys, a role, a region. They are called
/// so by every program that speaks to an S3-compatible object store.
#[derive(Clone, Default)]
pub struct AwsEnvironment(pub Vec<(String, String)>);

impl AwsEnvironment {
    pub fn read() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self(texts.filter(|(name, _)| name.starts_with("AWS_")).collect())
    }
}

impl fmt::Debug for AwsEnvironment {
    /// Names only: the values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_as_it_was_written() {
        for text in [
            "disk",
            "s3://files/",
            "s3://files/myim/blobs",
            "s3://files/a?region=eu-west-1",
            "s3://files/?endpoint=http%3A%2F%2F127.0.0.1%3A9000%2F&region=x",
        ] {
            let at: BlobStoreAt = text.parse().unwrap();
            assert_eq!(at.to_string(), text);
        }
        let short: BlobStoreAt = "s3://files?endpoint=https://s3.example".parse().unwrap();
        let BlobStoreAt::Bucket(at) = short else {
            panic!("{short:?}")
        };
        assert_eq!((at.bucket.as_str(), at.prefix.as_str()), ("files", ""));
        assert_eq!(at.endpoint.unwrap().as_str(), "https://s3.example/");
    }

    #[test]
    fn what_is_no_place_is_told_why() {
        for (text, why) in [
            ("", "not disk"),
            ("file:///tmp", "not disk"),
            ("s3://", "not disk"),
            ("s3:///prefix", "not disk"),
            ("s3://files:9000/", "not disk"),
            ("s3://me:secret@files/", "AWS_SECRET_ACCESS_KEY"),
            ("s3://files/?acl=public", "acl is none of"),
            ("s3://files/?endpoint=minio", "no URL"),
            ("s3://files/?endpoint=ftp://minio", "no URL"),
        ] {
            let told = text.parse::<BlobStoreAt>().unwrap_err();
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    #[test]
    fn keys_are_not_printed() {
        let secret = ("AWS_SECRET_ACCESS_KEY".to_owned(), "hush".to_owned());
        let shown = format!("{:?}", AwsEnvironment(vec![secret]));
        assert_eq!(shown, "[\"AWS_SECRET_ACCESS_KEY\"]");
    }
}
