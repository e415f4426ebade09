//===-- Main.cpp - The one main function of the host tests ------------------------------------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
