//! The image: whether it is there, and whether it is for the processor of the tasks.

use std::path::Path;

use anyhow::Result;
use config::deployment::Architecture;

use super::super::session::Session;
use super::Finding;
use crate::aws::AwsError;
use crate::context::Context;
use crate::names::Names;
use crate::resources::image::{self, ImageSource, RunningService};
use crate::resources::{ecs_service, task_definition};

const WHAT: &str = "image";

pub(super) async fn look(session: &Session<'_>, context: &Context, source: ImageSource) -> Vec<Finding> {
    let found = match &source {
        ImageSource::Layout { folder, digest } => layout(session, folder, digest),
        ImageSource::Pushed { digest } => pushed(session, context, digest).await,
        ImageSource::Running(service) => running(session, context, service).await,
        ImageSource::Elsewhere { reference } => Ok(Finding::note(
            WHAT,
            format_args!("{reference} is another registry's, which is not asked; a task that cannot fetch it says so"),
        )),
        ImageSource::Unknown => return Vec::new(),
    };
    // A folder with a damaged image is in the way; an answer that AWS does not give is not.
    vec![found.unwrap_or_else(|error| match error.downcast_ref::<AwsError>() {
        Some(_) => Finding::unasked(WHAT, &error),
        None => Finding::bad(WHAT, format_args!("{error:#}")),
    })]
}

/// What OCI calls the processor of the tasks.
fn wanted(session: &Session<'_>) -> &'static str {
    match session.deployment.task.architecture {
        Architecture::X86_64 => "amd64",
        Architecture::Arm64 => "arm64",
    }
}

/// Compares what an image is for with what the tasks have.
fn judged(session: &Session<'_>, what: &str, is_for: &[String]) -> Finding {
    let (wanted, architecture) = (wanted(session), session.deployment.task.architecture);
    if is_for.iter().any(|it| it == wanted) {
        return Finding::good(WHAT, format_args!("{what}, for {wanted} as task.architecture {architecture} asks"));
    }
    Finding::bad(
        WHAT,
        format_args!(
            "{what}, for {}, but task.architecture is {architecture}, which is {wanted}; build it for that, or change \
             task.architecture",
            is_for.join(", ")
        ),
    )
}

fn layout(session: &Session<'_>, folder: &Path, digest: &str) -> Result<Finding> {
    let seen = image::inspect(folder, digest)?;
    let what = format!("{digest} in {}, complete and undamaged, {} kB", folder.display(), seen.bytes / 1000);
    Ok(judged(session, &what, &[seen.architecture]))
}

async fn pushed(session: &Session<'_>, context: &Context, digest: &str) -> Result<Finding> {
    let repository = Names::of(&session.deployment).repository();
    let Some(is_for) = image::architectures(context, &repository, digest).await? else {
        let what = format!("repository {repository} has no {digest}");
        return Ok(Finding::bad(WHAT, format_args!("{what}; push it with `provision push`, or give --image-layout")));
    };
    let what = format!("{digest} is in the repository");
    if is_for.is_empty() {
        let unknown = "which processor it is for is only known where it was built (--image-layout)";
        return Ok(Finding::note(WHAT, format_args!("{what}; {unknown}, and must be that of task.architecture")));
    }
    Ok(judged(session, &what, &is_for))
}

async fn running(session: &Session<'_>, context: &Context, service: &RunningService) -> Result<Finding> {
    let found = ecs_service::find(context, &service.cluster, &service.service).await?;
    let Some(arn) = found.as_ref().and_then(|service| service.task_definition()) else {
        let text = "nothing runs yet, so a deploy needs --image-layout FOLDER (made by `cargo xtask image`) or --image";
        return Ok(Finding::note(WHAT, text));
    };
    let (reference, architecture) = task_definition::what_runs(context, arn).await?;
    let digest = reference.rsplit('@').next().unwrap_or_default();
    let repository = Names::of(&session.deployment).repository();
    if !image::exists(context, &repository, digest).await? {
        let what =
            format!("the service runs {reference}, which is no longer in the repository, so no task of it can start");
        return Ok(Finding::bad(WHAT, format_args!("{what} again; deploy another one with --image-layout")));
    }
    let what = format!("the service runs {digest}, which is in the repository");
    // Tasks of another processor could not run it.
    let is_for = if architecture == Architecture::Arm64.to_string() { "arm64" } else { "amd64" };
    Ok(judged(session, &what, &[is_for.to_owned()]))
}
