//! The settings of TLS, which all servers have.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use serde::Serialize;

/// Which certificate, and whether one may do without.
#[derive(Args, Clone, Debug, Serialize)]
#[command(next_help_heading = "TLS")]
pub struct TlsConfig {
    /// Certificate chain for TLS, in PEM; read again when it changes and on SIGHUP
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,

    /// Make a certificate at the first start and use it: for a network without names
    #[arg(
        long, value_name = "BOOL", default_value_t = false, action = ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    pub tls_self_signed: bool,

    /// Directory of the certificate that was made [default: tls in the data directory, or
    /// ./tls without one]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_dir: Option<PathBuf>,

    /// Refuse connections without TLS, except from this machine itself
    #[arg(
        long, value_name = "BOOL", default_value_t = false, action = ArgAction::Set,
        num_args = 0..=1, require_equals = true, default_missing_value = "true"
    )]
    pub require_tls: bool,
}

impl TlsConfig {
    /// Where a certificate of one's own is kept.
    pub fn folder(&self) -> PathBuf {
        self.tls_dir
            .clone()
            .unwrap_or_else(|| PathBuf::from("./tls"))
    }
}
