//! `provision push`: puts an image into the repository, and deploys nothing.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::PushArguments;
use super::document::Document;
use super::exit::{BadInput, Exit};
use super::report;
use super::session::Session;
use crate::guard::Access;
use crate::names::Names;
use crate::resource::Resource as _;
use crate::resources::image::{Image, ImageSource};

/// An image in the repository.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Pushed {
    /// How to name it to `deploy --image`.
    image: String,
}

impl Document for Pushed {
    const NAME: &'static str = "provision.push/1";
}

pub(crate) async fn run(session: &Session<'_>, arguments: &PushArguments) -> Result<Exit> {
    let source = ImageSource::layout(&arguments.image_layout).map_err(|error| BadInput(format!("{error:#}")))?;
    session.check_account().await?;
    let names = Names::of(&session.deployment);
    let image = Image { family: names.task_family(), repository: names.repository(), source };
    let aws = session.aws(Access::ReadWrite);
    let pushed = report::alone(session, aws, async |context| match image.read(&context).await? {
        Some(there) => {
            context.note("the repository has it already");
            Ok(there.output)
        }
        None => image.create(&context, &()).await,
    });
    let image = pushed.await?.reference;
    session.terminal.print(&image);
    session.terminal.document(&Pushed { image });
    Ok(Exit::Done)
}
