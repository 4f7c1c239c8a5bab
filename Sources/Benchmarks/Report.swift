import Foundation

/// All figures of the last runs, as `latest.json` keeps them.
///
/// A run that measured a part leaves the other figures of the same machine as they were; each has
/// its own date and commit.
struct Report: Codable, Equatable {
  var machine: Machine
  var figures: [Figure]

  /// The figure called `name`.
  func figure(_ name: String) -> Figure? { figures.first { $0.name == name } }

  /// This report with what `earlier` has beyond it.
  func filled(from earlier: Report?) -> Report {
    guard let earlier, earlier.machine.isLike(machine) else { return self }
    let own = Set(figures.map(\.name))
    var filled = self
    filled.figures += earlier.figures.filter { !own.contains($0.name) }
    filled.machine.versions.merge(earlier.machine.versions) { new, _ in new }
    return filled
  }
}

/// The folder with `latest.json` and the report before it, `previous.json`.
struct ReportFolder {
  let path: String

  var latest: String { "\(path)/latest.json" }
  var previous: String { "\(path)/previous.json" }

  /// The last report; nil when there is none.
  func read() throws -> Report? {
    guard let data = FileManager.default.contents(atPath: latest) else { return nil }
    do {
      return try JSONDecoder().decode(Report.self, from: data)
    } catch {
      throw Refusal(
        "\(latest) is not a report of this program's benchmarks, so there is nothing to compare "
          + "with: remove it.")
    }
  }

  /// Makes the folder.
  func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw Refusal(
        "\(path) cannot be made for the figures (\(error.localizedDescription)): choose another "
          + "folder with --output.", code: 5)
    }
  }

  /// Keeps `report` as the latest, and the one that was as the previous.
  func write(_ report: Report) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      let data = try encoder.encode(report)
      if let before = FileManager.default.contents(atPath: latest) {
        try before.write(to: URL(fileURLWithPath: previous), options: .atomic)
      }
      try data.write(to: URL(fileURLWithPath: latest), options: .atomic)
    } catch {
      throw Refusal(
        "\(latest) cannot be written (\(error.localizedDescription)): choose another folder with "
          + "--output.", code: 5)
    }
  }
}
