//! The settings of the file server and of the image server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Origins;
use super::blob_store::BlobStoreAt;
use super::shared::LimitsConfig;
use super::values::{ByteSize, from_one, from_zero};

/// Where files are kept, who may move them and how many. `default()` is what a server without any
/// setting uses.
#[derive(Args, Clone, Debug, PartialEq, Eq, Serialize)]
#[command(next_help_heading = "File and image server")]
pub struct TransferConfig {
    /// Set from the program's own group of flags.
    #[arg(skip)]
    #[serde(skip)]
    pub limits: LimitsConfig,

    /// Set from the program's own group of flags.
    #[arg(skip)]
    #[serde(skip)]
    pub allowed_origins: Origins,

    /// Directory of the stored files; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "./filecache")]
    pub filecache: PathBuf,

    /// Where the files are kept: disk, which is below the directory, or a bucket of an S3-compatible
    /// object store, s3://BUCKET/PREFIX?endpoint=URL&region=NAME; keys come from AWS_ACCESS_KEY_ID
    /// and AWS_SECRET_ACCESS_KEY or from the role of the machine
    #[arg(long, value_name = "PLACE", default_value = "disk")]
    pub blob_store: BlobStoreAt,

    /// Who may upload and download: known-address is an address from which an account logged in
    /// within the last 24 hours, and over HTTP somebody who is signed in
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Access::KnownAddress)]
    pub access: Access,

    /// Largest file in bytes
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(4 << 30))]
    pub upload_bytes_max: ByteSize,

    /// Bytes that one address may upload in a day without being signed in
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(20 << 30))]
    pub upload_day_bytes_max: ByteSize,

    /// Refuse uploads that would leave the disk with fewer free bytes
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(1 << 30))]
    pub disk_free_bytes_min: ByteSize,

    /// Bytes that the files of one account may take; 0 for no limit
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(0))]
    pub user_quota_bytes: ByteSize,

    /// Bytes that all files together may take; 0 for no limit
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(0))]
    pub total_quota_bytes: ByteSize,

    /// Hours after its last byte in which an interrupted upload can be resumed
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = from_one::<u32>)]
    pub upload_expiry_h: u32,

    /// Cut an upload that is silent for so many seconds, or comes so much later than at 1 KiB a
    /// second
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = from_one::<u64>)]
    pub upload_grace_s: u64,

    /// Days after its last upload in which a file is kept although messages refer to it; 0 for ever
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = from_zero::<u32>)]
    pub retention_file_days: u32,

    /// Days after its last upload in which a picture is kept although messages refer to it; 0 for
    /// ever. Pictures of users and groups stay
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = from_zero::<u32>)]
    pub retention_image_days: u32,

    /// Close a connection that sends nothing for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = from_one::<u64>)]
    pub idle_timeout_s: u64,

    /// Bytes that all connections together may hold in memory
    #[arg(long, value_name = "BYTES", default_value_t = ByteSize(256 << 20))]
    pub buffered_bytes_max: ByteSize,
}

impl Default for TransferConfig {
    fn default() -> Self {
        super::layers::defaults()
    }
}

/// Who may upload and download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Open,
    KnownAddress,
}
