//! The contract that every store must keep, on a real MariaDB.
//!
//! On SQLite it runs beside the code.
