//! Misbehaviour of a broken or hostile component.

use std::hint::black_box;

/// Never returns and never yields.
pub(crate) fn busy() -> ! {
    loop {
        black_box(0);
    }
}

/// Allocates memory until there is none left.
pub(crate) fn fill() -> ! {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1 << 20]);
    }
}

/// Allocates this many MiB and frees them; returns the number of bytes.
pub(crate) fn allocate(mib: usize) -> usize {
    black_box(vec![1_u8; mib << 20]).len()
}

/// Calls itself until the stack is full.
pub(crate) fn recurse(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { 0 } else { black_box(recurse(depth + 1)) + 1 }
}

/// Ends the instance.
#[expect(clippy::panic, reason = "the host has to handle it")]
pub(crate) fn panic() -> ! {
    panic!("the probe was told to panic")
}
