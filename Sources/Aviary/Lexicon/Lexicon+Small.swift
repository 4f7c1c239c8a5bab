extension Lexicon {
  /// The entries of the small world, by domain.
  ///
  /// A domain that is missing here has all its entries, or its variables do not occur.
  static let small: [(domain: Domain, words: [String])] = smallTable.split(separator: "\n").map {
    line in
    let parts = line.split(separator: ":")
    guard let domain = Domain.allCases.first(where: { "\($0)" == parts[0] }) else {
      preconditionFailure("the lexicon has no table '\(parts[0])'")
    }
    let words = parts[1].split(separator: ",").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    return (domain, words)
  }

  private static let smallTable = """
    names: Mira, Tom, Anna, Ben, Lena, Sam, Ella, Max
    kinds: wren, robin, owl, crow, duck, goose, swan, penguin
    traits: shy, brave, tiny, clever, lazy, proud
    homes: nest, tree house, birdhouse
    givers: mother, father, uncle
    places: the forest, the beach, the farm, the market, the glade, the harbour, the meadow
    places: the village
    weathers: rainy, windy, foggy, cloudy
    times: spring day, summer day, autumn day, winter day
    objects: kite, drum, ball, hat, bell, book
    colours: red, blue, green, white
    nooks: under the ferns, under the seaweed, under the straw, under a bench
    thieves: sly fox, hungry weasel, cheeky magpie
    foods: berries, nuts, seeds, apples, crumbs
    landmarks: stone path, white fence, river bank, church bell
    traps: bramble bush, fishing net, wire fence, broken crate
    fears: dark shadow, loud bang, big spider, scarecrow
    songs: lullaby, ballad, sea shanty
    glad: happy, glad, joyful
    sad: sad, unhappy, gloomy
    manners: quickly, gently, slowly, bravely
    """
}
