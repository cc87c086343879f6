//! What the benchmarks share: where and when they ran, spreads of rounds,
//! limits that a figure is held against, and tables for the README.

pub mod cpu;
mod demand;
mod machine;
pub mod markdown;
mod spread;

pub use demand::Demand;
pub use machine::Machine;
pub use spread::Spread;
