//! The canonical bytes of an operation, and the digest that names it.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::pb::Op;

impl Op {
    /// Encodes the operation as BuildKit itself would (`proto.MarshalOptions{Deterministic: true}`
    /// in Go): plain fields by ascending number, and the member of the oneof after all of them.
    ///
    /// prost orders by number alone and so would put the oneof (2–8) before `platform` (10). The
    /// server re-encodes every operation; where the bytes differ, so does the digest, and source
    /// locations and warnings no longer find their vertex.
    pub fn to_canonical_bytes(&self) -> Vec<u8> {
        let plain = Self { op: None, ..self.clone() };
        let body = Self { op: self.op.clone(), ..Self::default() };
        let mut bytes = plain.encode_to_vec();
        bytes.extend(body.encode_to_vec());
        bytes
    }
}

/// The digest that names these bytes in a definition: `sha256:` and 64 hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;

    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
