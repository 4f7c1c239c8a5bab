import Checkpoints
import Tokenizers

/// The initial model of a run.
package struct InitialModel {
  package let folder: ModelFolder
  /// Positions of a row.
  package let context: Int
  /// The chat template; nil when unspecified and not needed.
  package let template: ChatTemplate?
  /// SHA-256 of the weights.
  package let digest: String

  package init(folder: ModelFolder, context: Int, template: ChatTemplate?, digest: String) {
    self.folder = folder
    self.context = context
    self.template = template
    self.digest = digest
  }
}
