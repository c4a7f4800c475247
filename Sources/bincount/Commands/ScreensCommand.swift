import Basics
import CountingApp
import Screens
import System

/// `bincount screens check [DIR]`: reads the screen files as the app would and says what is wrong with them.
enum ScreensCommand {
    static let command = Program.Command(
        name: "screens", summary: "check screen files",
        help: """
            bincount screens check [DIR]

            Checks the screen and catalog files of DIR (else those inside the program) against what the app offers:
            sizes, tags, bindings, actions, messages, translations. Prints FILE:LINE: what is wrong, one line each.
            Exit 0 when nothing is wrong, 1 otherwise.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let words = try arguments.rest()
        guard words.first == "check", words.count <= 2 else {
            throw UsageError("the only thing to do is `screens check [DIR]`")
        }
        let screens = try AppScreens.load(directory: words.count == 2 ? words[1] : nil)
        for diagnostic in screens.diagnostics { print("\(diagnostic)") }
        guard screens.diagnostics.isEmpty else {
            printError(
                "bincount screens: \(screens.diagnostics.count) mistakes; the app uses its built-in screens until they are mended"
            )
            return 1
        }
        print("\(screens.summary): nothing is wrong")
        return 0
    }
}
