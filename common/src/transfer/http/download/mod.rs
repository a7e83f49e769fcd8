//! Answers to GET and HEAD of stored content.
