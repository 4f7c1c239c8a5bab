// The modules of a network that an adapter changes, by PEFT's rules for its patterns.

import Tensors

extension AdapterConfiguration {
  /// Returns the LoRA settings with the modules of `layout` by their full names, in place of patterns.
  ///
  /// As in PEFT, patterns that match no module are left out where others match: its lists name the
  /// modules of many families. Without a match they are kept, and refused by their names.
  ///
  /// - Throws: `LoRAError` when a pattern of targets is invalid.
  package func lora(in layout: ParameterLayout) throws(LoRAError) -> LoRA {
    var modules: [String] = []
    for entry in layout.entries {
      let module = ParameterLayout.module(of: entry.name)
      if modules.last != module { modules.append(module) }
    }
    var lora = lora
    lora.modulesToSave = modules.filter(savesInFull)
    guard lora.targets != [ModulePattern.allLinear] else { return lora }
    let patterns = try lora.targets.map { text throws(LoRAError) in try ModulePattern(text) }
    var targets: [String] = []
    for module in modules {
      let isTarget = try patterns.hasOne { pattern throws(LoRAError) in
        try pattern.matches(module)
      }
      if isTarget, adaptsLayer(of: module) { targets.append(module) }
    }
    if !targets.isEmpty { lora.targets = targets }
    return lora
  }

  /// Returns true when `modules_to_save` has the module `name`, or one that contains it.
  ///
  /// PEFT compares the ends of the names as they are, so that `norm` is also `input_layernorm`.
  package func savesInFull(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    return parts.indices.contains { end in
      let module = Self.prefix + parts[...end].joined(separator: ".")
      return lora.modulesToSave.contains { module.hasSuffix($0) }
    }
  }

  /// Returns true unless `layers_to_transform` leaves out the layer that has the module `name`, or
  /// the module is in no layer.
  ///
  /// A module whose full name is a target is adapted in any case.
  private func adaptsLayer(of name: String) -> Bool {
    guard !layers.isEmpty, !lora.targets.contains(name) else { return true }
    let parts = name.split(separator: ".")
    /// The first number behind names that `isNumbered` accepts, before another name.
    func layer(_ isNumbered: (_ names: ArraySlice<Substring>) -> Bool) -> Int? {
      let place = parts.indices.dropLast().first {
        Int(parts[$0]) != nil && isNumbered(parts[..<$0])
      }
      return place.flatMap { Int(parts[$0]) }
    }
    // Without a pattern two names or more: model.layers.3.mlp is in layer 3.
    let layer =
      layersPatterns.isEmpty
      ? layer { $0.count >= 2 }
      : layersPatterns.lazy.compactMap { pattern in
        layer { ".\($0.joined(separator: "."))".hasSuffix(".\(pattern)") }
      }.first
    return layer.map(layers.contains) ?? false
  }
}
