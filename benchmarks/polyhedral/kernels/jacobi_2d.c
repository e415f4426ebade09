/* Two half steps of a five-point mean in each time step. */
void KERNEL_NAME(float (*restrict a)[2800], float (*restrict b)[2800]) {
  for (int t = 0; t < 30; ++t) {
    for (int i = 1; i < 2799; ++i)
      for (int j = 1; j < 2799; ++j)
        b[i][j] = 0.2f * (a[i][j] + a[i][j - 1] + a[i][j + 1] + a[i + 1][j] + a[i - 1][j]);
    for (int i = 1; i < 2799; ++i)
      for (int j = 1; j < 2799; ++j)
        a[i][j] = 0.2f * (b[i][j] + b[i][j - 1] + b[i][j + 1] + b[i + 1][j] + b[i - 1][j]);
  }
}
