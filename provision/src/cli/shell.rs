//! `provision completions` and `man`: help for the shell, made from the same definitions as the help texts.

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::arguments::Arguments;
use super::exit::Exit;
use super::terminal::Terminal;

pub(crate) fn completions(terminal: &Terminal, shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "provision", &mut script);
    terminal.print(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}

pub(crate) fn man(terminal: &Terminal) -> Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    terminal.print(String::from_utf8_lossy(&page).trim_end());
    Ok(Exit::Done)
}
