//! The lock: one run at a time changes an environment.
//!
//! Every lock has a number, one more than the one before, and is a log stream with that number in its name; whoever
//! makes the stream has the lock. The holder writes a beat into it every now and then. Whoever finds a lock watches it:
//! a new beat means that the holder lives; none for a whole lease means that it died. Nobody compares clocks of two
//! machines. Numbers only grow, so two runs that find the same dead lock cannot both follow it.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{Record, Run, history};
use crate::aws::{Absent as _, AwsError, Pace};
use crate::context::Context;
use crate::retry::persist;
use crate::wait::human;

/// The holder's streams.
const PREFIX: &str = "lock/";

/// How many pages of a stream are looked at for its newest lines.
const MOST_PAGES: usize = 5;

/// How often a holder shows that it lives, and after what silence it counts as dead.
struct Rhythm {
    beat: Duration,
    lease: Duration,
}

impl Rhythm {
    fn of(pace: Pace) -> Self {
        let (beat, lease) = match pace {
            // Log events can take some seconds to be readable.
            Pace::Real => (15, 60),
            Pace::StandIn => (2, 8),
        };
        Self { beat: Duration::from_secs(beat), lease: Duration::from_secs(lease) }
    }
}

/// One line in a lock's stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Beat {
    number: u64,
    released: bool,
    run: Run,
}

/// Who has the lock, or had it last.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The lock's number.
    number: u64,
    /// Its last beat; none when the holder died before the first.
    beat: Option<Beat>,
}

impl Holder {
    /// The run that has it, if it said so.
    pub fn run(&self) -> Option<&Run> {
        self.beat.as_ref().map(|beat| &beat.run)
    }

    fn is_free(&self) -> bool {
        self.beat.as_ref().is_some_and(|beat| beat.released)
    }

    fn beats(&self) -> Option<u64> {
        self.beat.as_ref().map(|beat| beat.number)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.run() {
            Some(run) => run.fmt(f),
            None => write!(f, "a run that did not say who it is"),
        }
    }
}

/// Another run is at work.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is at work on this environment and alive; nothing was changed. Wait for its end; if you know that it is not \
     at work, `provision unlock` breaks its lock"
)]
pub struct Held(pub Holder);

/// What became of a holder.
#[derive(Debug, PartialEq, Eq)]
enum Watched {
    Dead,
    Released,
}

/// The lock in our hands.
#[derive(Debug)]
pub struct Lock<'a> {
    record: &'a Record,
    context: Context,
    number: u64,
    run: Run,
}

impl Record {
    /// The newest lock, held or not; `None` when there never was one.
    async fn last_lock(&self, context: &Context) -> Result<Option<Holder>> {
        let request = context.aws.logs.describe_log_streams().log_group_name(self.name());
        let answer = request.log_stream_name_prefix(PREFIX).descending(true).send().await;
        let answer = answer.absent_on(&["ResourceNotFoundException"]).context("looking for the lock")?;
        let streams = answer.and_then(|answer| answer.log_streams).unwrap_or_default();
        let number = |name: &str| name.strip_prefix(PREFIX)?.parse::<u64>().ok();
        let newest = streams.iter().filter_map(|stream| number(stream.log_stream_name()?)).max();
        let Some(number) = newest else { return Ok(None) };
        let beats = self.lines::<Beat>(context, &stream_of(number)).await?;
        Ok(Some(Holder { number, beat: beats.into_iter().max_by_key(|beat| (beat.released, beat.number)) }))
    }

    /// Who has the lock now, dead or alive.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn holder(&self, context: &Context) -> Result<Option<Holder>> {
        Ok(self.last_lock(context).await?.filter(|holder| !holder.is_free()))
    }

    /// Takes the lock. A dead holder is waited out, a living one is an error.
    /// # Errors
    /// [`Held`] when the holder lives, or when AWS cannot be asked.
    pub async fn lock(&self, context: &Context, run: Run) -> Result<Lock<'_>> {
        persist(context, || self.ensure(context)).await.context("preparing the record of runs")?;
        loop {
            let newest = persist(context, || self.last_lock(context)).await?;
            if let Some(holder) = &newest
                && !holder.is_free()
                && self.watch(context, holder).await? == Watched::Released
            {
                continue;
            }
            let number = newest.as_ref().map_or(0, |holder| holder.number) + 1;
            let stream = stream_of(number);
            if !persist(context, || self.make_stream(context, &stream)).await? {
                continue;
            }
            let lock = Lock { record: self, context: context.clone(), number, run };
            persist(context, || lock.write(0, false)).await.context("signing the lock")?;
            if let Some(old) = newest {
                // Only tidiness: the older number means nothing any more.
                drop(self.delete_stream(context, &stream_of(old.number)).await);
            }
            return Ok(lock);
        }
    }

    async fn watch(&self, context: &Context, holder: &Holder) -> Result<Watched> {
        let rhythm = Rhythm::of(context.aws.pace);
        context.note(format_args!(
            "{holder} holds the lock; looking for up to {} whether it is still alive",
            human(rhythm.lease)
        ));
        let began = Instant::now();
        while began.elapsed() < rhythm.lease {
            sleep(rhythm.beat / 3).await;
            match persist(context, || self.last_lock(context)).await? {
                Some(now) if now.number == holder.number && now.beats() == holder.beats() => (),
                Some(now) if !now.is_free() => bail!(Held(now)),
                _ => return Ok(Watched::Released),
            }
        }
        context.note(format_args!("no sign of life for {}; taking the lock over", human(rhythm.lease)));
        Ok(Watched::Dead)
    }

    /// Takes the lock away from its holder, who stops starting new work as soon as it notices.
    ///
    /// # Errors
    /// When AWS does not do it.
    pub async fn break_lock(&self, context: &Context, holder: &Holder, run: Run) -> Result<()> {
        let next = stream_of(holder.number + 1);
        if !persist(context, || self.make_stream(context, &next)).await? {
            bail!("the lock changed hands a moment ago; look again with `provision unlock`");
        }
        let lock = Lock { record: self, context: context.clone(), number: holder.number + 1, run };
        persist(context, || lock.write(0, true)).await?;
        let broken = stream_of(holder.number);
        persist(context, || self.delete_stream(context, &broken)).await
    }

    /// Makes a stream; false when it exists.
    pub(super) async fn make_stream(&self, context: &Context, stream: &str) -> Result<bool> {
        let request = context.aws.logs.create_log_stream().log_group_name(self.name()).log_stream_name(stream);
        Ok(request.send().await.absent_on(&["ResourceAlreadyExistsException"])?.is_some())
    }

    async fn delete_stream(&self, context: &Context, stream: &str) -> Result<()> {
        let request = context.aws.logs.delete_log_stream().log_group_name(self.name()).log_stream_name(stream);
        request.send().await.absent_on(&["ResourceNotFoundException"])?;
        Ok(())
    }

    /// Writes one line.
    pub(super) async fn write_line(&self, context: &Context, stream: &str, line: &impl Serialize) -> Result<()> {
        let event = InputLogEvent::builder().timestamp(history::now_ms()).message(serde_json::to_string(line)?);
        let request = context.aws.logs.put_log_events().log_group_name(self.name()).log_stream_name(stream);
        request.log_events(event.build()?).send().await.map_err(AwsError::from)?;
        Ok(())
    }

    /// Reads the newest lines, up to what one answer holds; lines of another shape are somebody else's and left out.
    pub(super) async fn lines<T: serde::de::DeserializeOwned>(
        &self,
        context: &Context,
        stream: &str,
    ) -> Result<Vec<T>> {
        let mut page: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = context.aws.logs.get_log_events().log_group_name(self.name()).log_stream_name(stream);
            let answer = request.start_from_head(false).set_next_token(page.clone()).send().await;
            let answer = answer.absent_on(&["ResourceNotFoundException"]).context("reading the record of runs")?;
            let Some(answer) = answer else { break };
            let events = answer.events.unwrap_or_default();
            // A page can be empty although there is more behind it; only one that leads to itself is the end.
            if events.is_empty() && answer.next_backward_token.is_some() && answer.next_backward_token != page {
                page = answer.next_backward_token;
                continue;
            }
            return Ok(events.iter().filter_map(|event| serde_json::from_str(event.message()?).ok()).collect());
        }
        Ok(Vec::new())
    }
}

impl Lock<'_> {
    async fn write(&self, number: u64, released: bool) -> Result<()> {
        let beat = Beat { number, released, run: self.run.clone() };
        self.record.write_line(&self.context, &stream_of(self.number), &beat).await
    }

    /// Shows again and again that we live; ends only with the reason why the lock is ours no longer.
    pub async fn keep(&self) -> anyhow::Error {
        let rhythm = Rhythm::of(self.context.aws.pace);
        let mut heard = Instant::now();
        for number in 1.. {
            sleep(rhythm.beat).await;
            match self.write(number, false).await {
                Ok(()) => heard = Instant::now(),
                Err(error) if error.downcast_ref::<AwsError>().is_some_and(|it| it.is("ResourceNotFoundException")) => {
                    return anyhow::anyhow!("the lock was broken by `provision unlock` or taken over by another run");
                }
                // Others take over after a lease, so from then on it may be theirs.
                Err(error) if heard.elapsed() >= rhythm.lease => {
                    return error.context("the lock could not be renewed in time, so another run may have it");
                }
                Err(_) => (),
            }
        }
        unreachable!("no run lasts for so many beats")
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// When AWS does not hear of it; then it frees itself after a lease.
    pub async fn release(self) -> Result<()> {
        let is_gone = |error: &anyhow::Error| {
            error.downcast_ref::<AwsError>().is_some_and(|error| error.is("ResourceNotFoundException"))
        };
        match persist(&self.context, || self.write(u64::MAX, true)).await {
            // Broken or taken over meanwhile: not ours to release.
            Err(error) if is_gone(&error) => Ok(()),
            // Whoever comes next would wait for a lease, so what seems to last is tried once more, too.
            Err(_) => self.write(u64::MAX, true).await.context("releasing the lock"),
            released => released,
        }
    }
}

/// The name of a lock's stream; digits line up, so that names sort as numbers do.
fn stream_of(number: u64) -> String {
    format!("{PREFIX}{number:010}")
}
