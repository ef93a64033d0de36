//! The executor and the reactor beside other runtimes, and beside no runtime at all.
//!
//! Every row of the benchmark is written once, in [`rows`], over the traits of [`runtime`]. The
//! compiler makes a copy for each runtime, so nobody pays for the abstraction. The copies are run
//! by two harnesses: [`instructions`] counts, and [`wall`] takes the time.
//!
//! ```text
//!   bodies.rs the work   --->  runtime/*.rs     who does it
//!      ^
//!      +--- instructions.rs    under callgrind: the figure to steer by, the same every time
//!      +--- wall.rs            all runtimes in turn, round by round: medians and ratios
//!
//!   memory.rs    heap bytes of a parked task and of an idle connection
//!   echo.rs      a TCP echo server under load from another process; its system calls
//!   table.rs     all of it, as Markdown
//! ```

mod bodies;
pub mod echo;
pub mod instructions;
pub mod memory;
pub mod rows;
pub mod runtime;
pub mod table;
pub mod wall;
