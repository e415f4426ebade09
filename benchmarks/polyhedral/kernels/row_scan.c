/* The running sum of each row. */
void KERNEL_NAME(float (*restrict x)[2003], float (*restrict y)[2003]) {
  for (int i = 0; i < 1500; ++i) {
    y[i][0] = x[i][0];
    for (int j = 1; j < 2003; ++j)
      y[i][j] = y[i][j - 1] + x[i][j];
  }
}
