//! `provision push`: puts an image into the repository, and deploys nothing.

use anyhow::Result;

use super::arguments::PushArguments;
use super::exit::{BadInput, Exit};
use super::report;
use super::session::Session;
use crate::guard::Access;
use crate::names::Names;
use crate::resource::Resource as _;
use crate::resources::image::{Image, ImageSource};

pub(crate) async fn run(session: &Session<'_>, arguments: &PushArguments) -> Result<Exit> {
    let source = ImageSource::layout(&arguments.image_layout).map_err(|error| BadInput(format!("{error:#}")))?;
    session.check_account().await?;
    let family = session.deployment.task.family.clone();
    let image = Image { family, repository: Names::of(&session.deployment).repository(), source };
    let aws = session.aws(Access::ReadWrite);
    let pushed = report::alone(session, aws, async |context| match image.read(&context).await? {
        Some(there) => {
            context.note("the repository has it already");
            Ok(there.output)
        }
        None => image.create(&context, &()).await,
    });
    session.terminal.print(pushed.await?.reference);
    Ok(Exit::Done)
}
