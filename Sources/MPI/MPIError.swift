internal import CMPI

/// What MPI can report.
///
/// After an error the state of MPI on this rank is undefined (MPI Standard 3.1, section 8.3), and
/// the other ranks may be waiting for it: say the sentence, then ``Communicator/abort(code:)``.
public enum MPIError: Error, Equatable, Sendable, CustomStringConvertible {
  /// An MPI function returned `code`, which MPI explains as `text`.
  case call(function: String, code: Int32, text: String)
  /// The library grants its threads less than the program needs.
  case threadLevel(requested: ThreadLevel, granted: ThreadLevel)

  /// One sentence with what failed, why, and what to do.
  public var description: String {
    switch self {
    case .call(let function, let code, let text):
      "\(function) failed with code \(code) (\(text)); "
        + "abort all ranks and start the run again from its last checkpoint"
    case .threadLevel(let requested, let granted):
      "MPI_Init_thread granted \(granted) where \(requested) is needed; "
        + "install an MPI library that is built with thread support"
    }
  }
}

/// The one gate: every call of an MPI function that can fail passes its return code through here.
func check(_ code: Int32, _ function: StaticString) throws(MPIError) {
  guard code != MPI_SUCCESS else { return }
  throw .call(function: "\(function)", code: code, text: errorText(code))
}

private func errorText(_ code: Int32) -> String {
  var length: Int32 = 0
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
  guard MPI_Error_string(code, &text, &length) == MPI_SUCCESS, length > 0 else {
    return "no text is known for it"
  }
  return String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
