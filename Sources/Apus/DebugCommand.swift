import ArgumentParser
import Checkpoints
import Debugging
import Files
import Tensors

/// `apus debug`: the activations and gradients of one step, written and compared.
struct DebugCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "debug",
    abstract: "Write the activations and gradients of one step, or compare two such files.",
    subcommands: [Dump.self, Compare.self])

  struct Dump: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the activations, and the gradients, of one step of a language model.",
      discussion: """
        apus debug dump runs/small --ids 1,2,3 --gradients --output dump.safetensors

        Writes the output of every module under the module's path, and the gradient of every \
        parameter as grad.NAME, all in fp32. The loss is that of Hugging Face's \
        model(input_ids=ids, labels=ids): a causal model predicts the next token, a masked model \
        the token of every position, an encoder–decoder its own encoder input.
        """)

    @Argument(help: "Run folder, checkpoint or Hugging Face folder.")
    var model: String

    @Argument(help: "Text of the input.")
    var text: String?

    @Option(help: "Token ids of the input, separated by spaces or commas, instead of a text.")
    var ids: TokenIDList?

    @Flag(help: "Run the backward pass, and write the loss and the gradients too.")
    var gradients = false

    @Option(help: "Operand precision of the matrix products: fp32 or bf16.")
    var precision = Precision.fp32

    @OptionGroup var threads: ThreadArguments

    @Option(help: "File to write (safetensors).")
    var output: String

    var inputs: [String] { [model] }
    var outputs: [String] { [output] }

    func validate() throws {
      if text == nil && ids == nil {
        throw ValidationError("The input is missing; give a text or --ids.")
      }
      if text != nil && ids != nil {
        throw ValidationError("Give a text or --ids, not both.")
      }
    }

    func run() throws {
      MatrixLibrary.useCallingThreadOnly()
      let loaded = try LoadedModel(path: model, readsTokenizer: ids == nil)
      loaded.notes.forEach(Failure.report)
      let ids = ids?.ids ?? loaded.tokenizer.encodeWithSpecialTokens(text ?? "")
      let (context, vocabulary) = (loaded.configuration.context, loaded.configuration.vocabulary)
      guard let largest = ids.max() else {
        throw Failure.Refusal("the text has no token: give a longer one.")
      }
      guard ids.count <= context, largest < vocabulary else {
        throw Failure.Refusal(
          "\(model) reads 1 to \(context) ids below \(vocabulary), but the input is "
            + "\(ids.count, "id") up to \(largest): change the input.")
      }
      try checkOutput()
      let batch = LabelledBatch(labelledByItself: ids, for: loaded.configuration)
      guard batch.hasTarget || !gradients else {
        throw Failure.Refusal(
          "one id has no next token to predict, so there are no gradients: give two or more.")
      }
      let team = try threads.team()
      defer { team?.stop() }
      let dump = StepDump(
        loaded.configuration, layout: loaded.layout, parameters: loaded.parameters, batch: batch,
        hasGradients: gradients, in: Workspace(precision: precision, team: team))
      let tensors = try dump.write(to: output)
      // A line after a dump in a pipe would damage it.
      if try FileSystem.kind(of: output) == .file {
        try StandardOutput.print("\(output): \(tensors, "tensor") of \(ids.count, "id")")
      }
    }

    /// Refuses an output that cannot be a file, which is a mistake in the path and not in the disk,
    /// and a file that is not a dump, such as the weights of a model.
    private func checkOutput() throws {
      switch try FileSystem.kind(of: output) {
      case nil: break
      case .file where StepDump.isDump(output) || FileStatus(output)?.byteCount == 0: break
      case .file:
        throw Failure.Refusal(
          "--output \(output) is there and is not a dump: remove it, or choose another path.")
      case .folder: throw Failure.Refusal("--output \(output) is a folder: name a file.")
      // A device, such as /dev/stdout.
      case .other: break
      }
    }
  }

  struct Compare: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare two dumps tensor by tensor, in the order of the passes.",
      discussion: """
        apus debug compare a.safetensors b.safetensors --tolerance 1e-5

        Errors are relative to the largest entry of a tensor; the first tensor over the tolerance \
        is marked with >. An entry that is NaN in either file counts as an infinite error. Names \
        that only one file has are reported, and do not count. Exit code: 0 when all common \
        tensors are within the tolerance, 1 when not, 2 for a file that cannot be read, or without \
        a common tensor.
        """)

    @Argument(help: "First file.")
    var first: String

    @Argument(help: "Second file.")
    var second: String

    @Option(help: "Largest accepted error, relative to the tensor's largest entry.")
    var tolerance: Float = 1e-5

    @Flag(help: "Print all tensors, not only those over the tolerance.")
    var all = false

    var inputs: [String] { [first, second] }

    func validate() throws {
      if !(tolerance >= 0 && tolerance.isFinite) {
        throw ValidationError("--tolerance must be 0 or more, not \(tolerance).")
      }
    }

    func run() throws {
      let comparison = try DumpComparison(open(first), open(second), tolerance: tolerance)
      try printTable(comparison)
      if comparison.rows.isEmpty {
        throw Failure.Refusal(
          "\(first) and \(second) have no tensor in common: compare files with the same names.")
      }
      if !comparison.isWithin { throw ExitCode(1) }
    }

    private func open(_ path: String) throws -> SafeTensorsFile {
      do {
        return try SafeTensorsFile(path: path)
      } catch let error as StorageError {
        // An input, unlike a disk that fails: exit code 2.
        throw Failure.Refusal("\(error)")
      }
    }
  }
}

extension Precision: ExpressibleByArgument {}
