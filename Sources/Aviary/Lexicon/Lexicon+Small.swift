extension Lexicon {
  /// The entries of the small world, by domain.
  ///
  /// A domain that is missing here has all its entries, or its variables do not occur.
  static let small: [(domain: Domain, words: [String])] = smallTable.split(separator: "\n").map {
    line in
    let parts = line.split(separator: ":")
    let words = parts[1].split(separator: ",").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    return (Domain(named: parts[0]), words)
  }

  private static let smallTable = """
    name: Mira, Tom, Anna, Ben, Lena, Sam, Ella, Max
    kind: wren, robin, owl, crow, duck, goose, swan, penguin
    trait: shy, brave, tiny, clever, lazy, proud
    home: nest, tree house, birdhouse
    giver: mother, father, uncle
    place: the forest, the beach, the farm, the market, the glade, the harbour, the meadow
    place: the village
    weather: rainy, windy, foggy, cloudy
    time: spring day, summer day, autumn day, winter day
    object: kite, drum, ball, hat, bell, book
    colour: red, blue, green, white
    nook: under the ferns, under the seaweed, under the straw, under a bench
    thief: sly fox, hungry weasel, cheeky magpie
    food: berries, nuts, seeds, apples, crumbs
    landmark: stone path, white fence, river bank, church bell
    trap: bramble bush, fishing net, wire fence, broken crate
    fear: dark shadow, loud bang, big spider, scarecrow
    song: lullaby, ballad, sea shanty
    glad: happy, glad, joyful
    sad: sad, unhappy, gloomy
    manner: quickly, gently, slowly, bravely
    """
}
