extension Lexicon {
  // No name is a word of another table, because each word has only one spelling. Kinds have no
  // gender, so the name alone decides the pronoun.
  static let characters = """
    name
    she: Mira, Anna, Lena, Ella, Nora, Clara, Emma, Lucy, Molly, Sara, Tina, Zoe, Maya, Nina, Lola
    she: Ada, Alma, Bella, Cora, Dora, Edith, Elsa, Esme, Eva, Fiona, Flora, Freya, Gina, Greta
    she: Hanna, Heidi, Helen, Ida, Ingrid, Irene, Isla, Jane, Jenny, Jill, Julia, Kara, Kate, Kira
    she: Lara, Laura, Leah, Linda, Lisa, Lotte, Luna, Mabel, Maggie, Marta, Mary, Matilda, Mia
    she: Millie, Mimi, Nelly, Nancy, Naomi, Olga, Paula, Petra, Phoebe, Polly, Rita, Rosa, Ruth
    she: Sally, Selma, Sofia, Stella, Susan, Suki, Tara, Tess, Thea, Trudy, Una, Ursula, Vera
    she: Wanda, Wilma, Yara, Yuki, Zelda, Zara, Amina, Aisha, Priya, Leila, Ines, Carmen, Dina
    he: Tom, Ben, Sam, Max, Leo, Tim, Dan, Jack, Adam, Albert, Alfred, Andy, Anton, Arthur, Bart
    he: Boris, Bruno, Carl, Conrad, David, Denis, Eddie, Edgar, Edwin, Eli, Emil, Eric, Ernest
    he: Felix, Finn, Frank, Fred, Gabriel, George, Gus, Hans, Harold, Harry, Henry, Hugo, Ian, Igor
    he: Ivan, Jacob, James, Jasper, Jim, Joe, John, Jonas, Joseph, Kevin, Kurt, Lars, Lewis, Luke
    he: Magnus, Marco, Milo, Moses, Nathan, Ned, Nick, Noah, Oliver, Olaf, Oscar, Otto, Owen, Pablo
    he: Paul, Peter, Philip, Pip, Ralph, Rex, Richard, Roger, Rufus, Rupert, Simon, Stanley, Stefan
    he: Ted, Theo, Thomas, Tobias, Toby, Victor, Vincent, Walter, Wilbur, Yusuf, Zack, Omar, Ravi
    he: Kenji, Diego

    kind
    bird fly: wren, robin, sparrow, finch, thrush, lark, swallow, swift, starling, blackbird, crow
    bird fly: raven, owl, hawk, falcon, eagle, kestrel, pigeon, dove, cuckoo, woodpecker
    bird fly: nightingale, parrot, canary, hummingbird, stork, heron, kingfisher, bluebird
    bird fly: goldfinch, oriole, warbler, plover, vulture, toucan, flamingo
    bird fly swim: duck, goose, swan, gull, pelican, puffin, tern, albatross
    bird swim: penguin
    bird: chicken, turkey, ostrich, emu, kiwi, quail
    beast climb: squirrel, cat, monkey, raccoon, koala, lizard, chipmunk, dormouse, gecko, panda
    beast climb: leopard, bear
    beast swim: otter, beaver, frog, toad, turtle, seal, newt, hippo
    beast dig: mole, rabbit, badger, groundhog, hare, armadillo, hedgehog, gopher, dog
    beast: horse, pony, donkey, sheep, goat, pig, lamb, deer, moose, elephant, giraffe, zebra
    beast: camel, llama, mouse, tortoise, calf, kangaroo
    beast fly: bat
    person: child, baker, farmer, sailor, shepherd, gardener, miller, painter, teacher, doctor
    person: tailor, carpenter, cook, singer, dancer, pilot, weaver, potter, blacksmith, clown, poet
    person: student, traveller, florist, librarian, pirate, knight, juggler, fiddler, inventor

    trait
    : shy, brave, tiny, kind, clever, gentle, curious, lazy, silly, quiet, cheerful, merry, careful
    : busy, friendly, helpful, patient, polite, proud, sleepy, small, smart, stubborn, sweet, tall
    : thoughtful, wise, young, old, playful, lively, calm, bold, jolly, hopeful, grumpy, messy, neat
    : noisy, dreamy, funny, lonely, nervous, nimble, eager, humble, loyal, modest, plump, quick
    : slow, serious, strong, tender, timid, adventurous, impatient, elegant, artistic, absent-minded

    home
    bird: nest, tree house, hollow tree, birdhouse
    beast: burrow, den, shed, cave, stone hut
    person: cottage, cabin, brick house, tower, houseboat

    giver
    : grandmother, grandfather, mother, father, aunt, uncle, sister, brother, cousin, neighbour

    limb
    bird: wing, beak, claw
    beast: leg, foot, nose, back
    person: hand, knee, arm, ankle, elbow, thumb, shoulder

    pronoun
    he: he/him/his/himself
    she: she/her/her/herself
    """
}
