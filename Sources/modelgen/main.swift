import Glibc
import ModelGenerator

// modelgen SCHEMA OUT: writes the Swift models of a GraphQL schema. Mistakes go to stderr in the form compilers use.
exit(ModelGeneratorCommand(Array(CommandLine.arguments.dropFirst())).run())
