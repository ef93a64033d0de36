//! latency

use crate::cli::{Failure, Out};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args, _out: Out<'_>) -> Result<(), Failure> {
    Ok(())
}
