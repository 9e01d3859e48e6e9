//! A recording: the transcripts of one or more runs in a file, and what has to be known beside them.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provision::transcript::{Body, Call};
use serde::Deserialize;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Call(Box<Call>),
    /// What whoever recorded knows about the runs.
    Note {
        /// What happens from here on; it tells a note from a call, and people what they read.
        #[serde(rename = "step")]
        _step: String,
        /// The digest of an image whose program ends at once.
        broken_image: Option<String>,
    },
}

/// Calls in the order in which they were sent.
#[derive(Debug)]
pub struct Recording {
    calls: Vec<(usize, Call)>,
    broken_images: BTreeSet<String>,
}

impl Recording {
    /// Reads the lines of a recording.
    ///
    /// # Errors
    /// Names the first line that is none.
    pub fn read(text: &str) -> Result<Self> {
        let mut recording = Self { calls: Vec::new(), broken_images: BTreeSet::new() };
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let number = index + 1;
            match serde_json::from_str(line).with_context(|| format!("line {number} is no line of a recording"))? {
                Line::Call(call) => recording.calls.push((number, *call)),
                Line::Note { broken_image, .. } => recording.broken_images.extend(broken_image),
            }
        }
        // Lines are written when answers come.
        recording.calls.sort_by_key(|(_, call)| (call.at, call.number));
        Ok(recording)
    }

    /// Whether it was a rehearsal: the stand-in's account has a number that no real one has.
    pub fn is_of_stand_in(&self) -> bool {
        let ours = |call: &Call| {
            call.operation == "GetCallerIdentity" && text(call.answer.as_ref()).contains(":000000000000:")
        };
        self.calls.iter().any(|(_, call)| ours(call))
    }

    /// Every call with the number of its line.
    pub(super) fn calls(&self) -> impl Iterator<Item = (usize, &Call)> {
        self.calls.iter().map(|(line, call)| (*line, call))
    }

    pub(super) fn since_began(&self, call: &Call) -> Duration {
        let began = self.calls.first().map_or(0, |(_, first)| first.at);
        Duration::from_millis(call.at - began)
    }

    pub(super) fn broken_images(&self) -> BTreeSet<String> {
        self.broken_images.clone()
    }

    /// Certificates that are spoken of and were not requested in the recording.
    pub(super) fn foreign_certificates(&self) -> BTreeSet<String> {
        let text = |call: &Call| String::from_utf8_lossy(&call.request.body.bytes()).into_owned();
        let answer = |call: &Call| call.answer.as_ref().map(|it| String::from_utf8_lossy(&it.bytes()).into_owned());
        let made = self.calls.iter().filter(|(_, call)| call.operation == "RequestCertificate");
        let made: BTreeSet<_> =
            made.filter_map(|(_, call)| answer(call)).flat_map(|text| certificates(&text)).collect();
        let spoken = self.calls.iter().flat_map(|(_, call)| certificates(&form_decoded(&text(call))));
        spoken.filter(|arn| !made.contains(arn)).collect()
    }
}

fn text(body: Option<&Body>) -> String {
    body.map(|body| String::from_utf8_lossy(&body.bytes()).into_owned()).unwrap_or_default()
}

fn form_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn certificates(text: &str) -> Vec<String> {
    let starts = text.match_indices("arn:aws:acm:").map(|(start, _)| &text[start..]);
    let arn = |text: &str| {
        let end = text.find(|it: char| !(it.is_ascii_alphanumeric() || ":/-".contains(it))).unwrap_or(text.len());
        text[..end].to_owned()
    };
    starts.map(arn).filter(|arn| arn.contains(":certificate/")).collect()
}
