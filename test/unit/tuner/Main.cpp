//===-- Main.cpp - The one main function of the tuner's tests ------------------------------------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
