//! Every parser: the first byte of the input selects the format, the rest is its report.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scanners::exercise(data));
