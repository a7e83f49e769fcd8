//! Finds the bucket and makes sure that it can be used.
//!
//! Keys come from the variables that begin with `AWS_`, or from the role of the machine.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, RetryConfig};
use thiserror::Error;
use tokio::time::timeout;

use super::BucketStore;
use super::http::Connector;
use crate::blob::{BlobError, BlobStore};
use crate::config::{AwsEnvironment, BucketAt};
use crate::net::Outward;
use crate::pool::BlockingPool;

/// How long a request is tried again, with what comes between.
const RETRY_WAIT: Duration = Duration::from_secs(30);
const RETRIES_MAX: usize = 4;
/// The first look at the bucket. A machine without a role does not answer who it is.
const START_WAIT: Duration = Duration::from_secs(15);

/// Why a bucket cannot be used.
#[derive(Debug, Error)]
pub enum BucketError {
    #[error("the bucket {at} cannot be used: {source}")]
    Settings {
        at: BucketAt,
        source: Box<object_store::Error>,
    },
    #[error(
        "the bucket {at} cannot be reached: {reason}; is its endpoint right, does the bucket \
         exist, and do AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine, \
         allow to list, read, write and delete there?"
    )]
    Unreachable { at: BucketAt, reason: String },
}

impl BucketStore {
    /// Opens a bucket after a look at it.
    pub(in crate::blob) async fn connect(
        at: &BucketAt,
        environment: &AwsEnvironment,
        pool: BlockingPool,
    ) -> Result<Self, BucketError> {
        let bucket = open(at, environment).map_err(|source| BucketError::Settings {
            at: at.clone(),
            source: Box::new(source),
        })?;
        let store = Self::new(Arc::new(bucket), &at.prefix, pool);
        let unreachable = |reason: String| BucketError::Unreachable {
            at: at.clone(),
            reason,
        };
        match timeout(START_WAIT, store.list(None, 1)).await {
            Ok(Ok(_)) => Ok(store),
            Ok(Err(BlobError::Bucket { source, .. })) => Err(unreachable(innermost(&*source))),
            Ok(Err(other)) => Err(unreachable(other.to_string())),
            Err(_) => {
                let seconds = START_WAIT.as_secs();
                Err(unreachable(format!("no answer within {seconds} s")))
            }
        }
    }
}

fn open(at: &BucketAt, environment: &AwsEnvironment) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in &environment.0 {
        // There are such variables for other programs, too.
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = &at.endpoint {
        // The one of these two that wins over the environment.
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint.as_str());
    }
    if let Some(region) = &at.region {
        builder = builder.with_region(region);
    }
    // Cannot fail: only a file of certificates could, and there is none.
    let outward = Outward::new(None).map_err(|error| object_store::Error::Generic {
        store: "S3",
        source: Box::new(error),
    })?;
    builder
        .with_bucket_name(&at.bucket)
        .with_http_connector(Connector(Arc::new(outward)))
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_WAIT,
        })
        .build()
}

/// What is behind all the "error performing": the sentence that helps.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
