//! The probe's use of `wasi:keyvalue`. Reports the interface's errors in debug form.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated code")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit/host",
        inline: "
            package gatehouse:probe;
            world probe {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
            }",
        world: "gatehouse:probe/probe",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use self::bindings::wasi::keyvalue::atomics::{self, Cas, CasError};
use self::bindings::wasi::keyvalue::{batch, store};
use crate::{Failure, Query};

fn open(query: &Query) -> Result<store::Bucket, Failure> {
    let label = query.get("store");
    Ok(store::open(if label.is_empty() { "default" } else { label })?)
}

/// Adds `delta` (1 if absent) to `key`.
pub(crate) fn increment(query: &Query) -> Result<String, Failure> {
    let delta = query.get("delta");
    let delta = if delta.is_empty() { 1 } else { delta.parse()? };
    Ok(atomics::increment(&open(query)?, query.get("key"), delta)?.to_string())
}

/// Compares and swaps `key` to `new`, with a write of `meanwhile` in between unless that is empty.
pub(crate) fn swap(query: &Query) -> Result<String, Failure> {
    let bucket = open(query)?;
    let key = query.get("key");
    let cas = Cas::new(&bucket, key)?;
    let before = cas.current()?;
    if !query.get("meanwhile").is_empty() {
        bucket.set(key, query.get("meanwhile").as_bytes())?;
    }
    let shown =
        |value: Option<Vec<u8>>| value.map_or("none".to_owned(), |value| String::from_utf8_lossy(&value).into());
    Ok(match atomics::swap(cas, query.get("new").as_bytes()) {
        Ok(()) => format!("swapped {}", shown(before)),
        Err(CasError::CasFailed(renewed)) => format!("failed, now {}", shown(renewed.current()?)),
        Err(CasError::StoreError(error)) => return Err(error.into()),
    })
}

/// Writes `a` and `b`, reads them with an absent key, deletes `a`, lists the remaining keys.
pub(crate) fn many(query: &Query) -> Result<String, Failure> {
    let bucket = open(query)?;
    batch::set_many(&bucket, &[("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())])?;
    let keys = ["a", "absent", "b"].map(str::to_owned);
    let read = batch::get_many(&bucket, &keys)?;
    batch::delete_many(&bucket, &["a".to_owned(), "absent".to_owned()])?;
    let left = bucket.list_keys(None)?;
    let cursor = bucket.list_keys(Some("x")).is_err();
    let read: Vec<_> = read
        .into_iter()
        .map(|(key, value)| (key, value.map(|value| String::from_utf8_lossy(&value).into_owned())))
        .collect();
    Ok(format!("{read:?} {:?} cursor refused: {cursor} exists: {}", left.keys, bucket.exists("b")?))
}
