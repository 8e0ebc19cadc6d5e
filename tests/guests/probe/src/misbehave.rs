//! Misbehaviour of a broken or hostile component.

use std::hint::black_box;

/// Never returns and never lets go of the processor.
pub(crate) fn busy() -> ! {
    loop {
        black_box(0);
    }
}

/// Takes memory until there is none.
pub(crate) fn fill() -> ! {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(vec![1; 1 << 20]);
    }
}

/// Takes this many MiB, and gives them back; answers the bytes taken.
pub(crate) fn allocate(mib: usize) -> usize {
    black_box(vec![1_u8; mib << 20]).len()
}

/// Ends the instance.
#[expect(clippy::panic, reason = "the host has to cope with it")]
pub(crate) fn panic() -> ! {
    panic!("the probe was told to panic")
}
